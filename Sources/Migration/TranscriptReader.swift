import Audit
import Encodings
import Foundation
import LibCrypto

/// Reads a transcript line by line, and refuses the first that is not as it was written.
public struct TranscriptReader {
    /// The next bytes; none at the end.
    private let read: () throws -> [UInt8]
    private var buffer: [UInt8] = []
    private var place = 0
    private var isAtEnd = false
    private var number = 0
    private var chain = Transcript.origin
    private var records = 0
    public private(set) var header: Transcript.Header
    /// The last line, once it was read.
    public private(set) var end: Transcript.End?

    private static let pieceLength = 256 * 1024
    /// The year 10000, in milliseconds since 1970.
    private static let endOfTime: Int64 = 253_402_300_800_000

    /// - Throws: ``MigrationError`` for a file that does not begin as a transcript does; what the file system says.
    public init(path: String) throws {
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        try self.init(reading: { [UInt8](try file.read(upToCount: Self.pieceLength) ?? Data()) })
    }

    /// - Parameter read: Gives the next bytes; none at the end.
    init(reading read: @escaping () throws -> [UInt8]) throws {
        self.read = read
        header = Transcript.Header(source: .none, target: .none, time: 0)
        guard let line = try nextLine(),
            let found = try? JSONDecoder().decode(Transcript.Header.self, from: Data(line)),
            found.type == "header", found.version == 1, (0..<Self.endOfTime).contains(found.time)
        else { throw MigrationError(.transcript, "Line 1 is not the first of a transcript that this version reads.") }
        var plain = found
        plain.chain = nil
        try follow(line, whole: found, plain: plain, said: found.chain)
        header = found
    }

    /// The next record; nil behind the last one, whose end was checked then.
    public mutating func next() throws -> Transcript.Record? {
        guard end == nil else { return nil }
        guard let line = try nextLine() else {
            throw MigrationError(
                .transcript, "The transcript ends behind line \(number) without signatures: its end was cut off.")
        }
        if let found = try? JSONDecoder().decode(Transcript.Record.self, from: Data(line)), found.type == "record" {
            var plain = found
            plain.chain = nil
            try follow(line, whole: found, plain: plain, said: found.chain)
            records += 1
            guard found.number == records, Self.isGood(found) else {
                throw bad("is not the next record, or proves nothing")
            }
            return found
        }
        guard let found = try? JSONDecoder().decode(Transcript.End.self, from: Data(line)), found.type == "end",
            try Transcript.encode(found) == line, found.records == records
        else { throw bad("is not one that a transcript has there") }
        guard try nextLine() == nil else { throw bad("stands behind the end") }
        for (side, name, signature) in [
            (header.source, "source", found.sourceSignature), (header.target, "target", found.targetSignature),
        ] {
            guard let key = try? AuditPublicKey(subjectPublicKeyInfo: Hexadecimal.decode(side.auditKey) ?? []),
                let signature = Hexadecimal.decode(signature),
                key.verifies(signature, of: Transcript.signed(records: records, chain: chain))
            else { throw bad("is not signed by the \(name)'s audit key") }
        }
        end = found
        return nil
    }

    /// Goes on to the line of a record; nil if there is none further on.
    public mutating func find(kind: String, name: String) throws -> Transcript.Record? {
        while let record = try next() {
            if record.kind.isExactly(kind), record.name.isExactly(name) { return record }
        }
        return nil
    }

    /// Reads the rest, which checks it.
    ///
    /// - Returns: How many records of which kind were read by this call.
    public mutating func check() throws -> [(kind: String, count: Int)] {
        var counts: [(kind: String, count: Int)] = []
        while let record = try next() {
            if let last = counts.last, last.kind.isExactly(record.kind) {
                counts[counts.count - 1].count += 1
            } else {
                counts.append((record.kind, 1))
            }
        }
        return counts
    }

    /// SHA-256 of what is signed, in hex; once all was read.
    public var name: String {
        get throws { Hexadecimal.encode(try Digest.sha256(Transcript.signed(records: records, chain: chain))) }
    }

    // MARK: Lines

    private static func isGood(_ record: Transcript.Record) -> Bool {
        let hashes = [record.source, record.target, record.challenge, record.sourceProof, record.targetProof]
        return hashes.allSatisfy { Hexadecimal.decode($0)?.count == 32 }
            && record.sourceProof.isExactly(record.targetProof) && record.route.isExactly(Transcript.reseal)
            && record.exposure.isExactly(Transcript.lockedMemory) && !record.kind.isEmpty
    }

    /// - Parameters:
    ///   - whole: What the line says, which must be spelt as it is written.
    ///   - plain: The same without its hash.
    private mutating func follow(
        _ line: [UInt8], whole: some Encodable, plain: some Encodable, said: String?
    ) throws {
        guard try Transcript.encode(whole) == line else { throw bad("is spelt otherwise than it was written") }
        chain = try Transcript.step(chain, try Transcript.encode(plain))
        guard let said, said.isExactly(Hexadecimal.encode(chain)) else {
            throw bad("is not what was written, or not behind this line")
        }
    }

    private func bad(_ what: String) -> MigrationError {
        MigrationError(.transcript, "Line \(number) of the transcript \(what).")
    }

    /// Nil at the end of the file.
    private mutating func nextLine() throws -> [UInt8]? {
        while true {
            if let end = buffer[place...].firstIndex(of: 0x0A) {
                let line = Array(buffer[place..<end])
                place = end + 1
                number += 1
                return line
            }
            guard !isAtEnd, buffer.count - place <= Transcript.longestLine else {
                if buffer.count == place { return nil }
                number += 1
                throw bad("is too long, or cut off")
            }
            buffer.removeFirst(place)
            place = 0
            let piece = try read()
            if piece.isEmpty { isAtEnd = true }
            buffer += piece
        }
    }
}

extension Transcript.Side {
    static let none = Transcript.Side(label: "", serial: "", manufacturer: "", model: "", instance: "", auditKey: "")
}

import Encodings
import Foundation
import Glibc
import LibCrypto

/// Writes a transcript line by line, aside; it is there when it was signed.
public struct TranscriptWriter {
    private let path: String
    private let aside: String
    private let file: FileHandle
    private var chain = Transcript.origin
    public private(set) var records = 0

    /// - Throws: what the file system says.
    public init(path: String, header: Transcript.Header) throws {
        self.path = path
        aside = path + ".new"
        let descriptor = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw CocoaError(.fileWriteUnknown, userInfo: [NSFilePathErrorKey: aside]) }
        file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var header = header
        let text = try Transcript.encode(header)
        chain = try Transcript.step(chain, text)
        header.chain = Hexadecimal.encode(chain)
        try write(header)
    }

    public mutating func append(_ record: Transcript.Record) throws {
        records += 1
        var record = record
        record.number = records
        record.chain = nil
        chain = try Transcript.step(chain, try Transcript.encode(record))
        record.chain = Hexadecimal.encode(chain)
        try write(record)
    }

    /// What both audit keys must sign.
    public var signed: [UInt8] { Transcript.signed(records: records, chain: chain) }

    /// Writes the last line and puts the file into its place.
    ///
    /// - Returns: SHA-256 of what is signed, in hex: the transcript's name in the audit chain.
    public func finish(sourceSignature: [UInt8], targetSignature: [UInt8]) throws -> String {
        try write(
            Transcript.End(
                records: records, sourceSignature: Hexadecimal.encode(sourceSignature),
                targetSignature: Hexadecimal.encode(targetSignature)))
        try file.synchronize()
        try file.close()
        guard rename(aside, path) == 0 else {
            throw CocoaError(.fileWriteUnknown, userInfo: [NSFilePathErrorKey: path])
        }
        return Hexadecimal.encode(try Digest.sha256(signed))
    }

    private func write(_ line: some Encodable) throws {
        try file.write(contentsOf: Data(try Transcript.encode(line) + [0x0A]))
    }
}

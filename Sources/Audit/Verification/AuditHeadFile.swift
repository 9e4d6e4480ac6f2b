import Encodings
import Foundation

/// A head as JSON, for a place outside the machine.
public struct AuditHeadFile: Sendable, Hashable, Codable {
    public var index: UInt64
    /// Hexadecimal.
    public var hash: String
    public var epoch: UInt64
    /// Hexadecimal.
    public var revocations: String

    init(_ head: AuditHead) {
        index = head.position.index
        hash = Hexadecimal.encode(head.position.hash)
        epoch = head.epoch
        revocations = Hexadecimal.encode(head.revocations)
    }

    /// One line.
    public var json: String { PlainJSON.encode(self) + "\n" }

    /// Reads a file that `kmsd audit verify --write-head` made, or a report that contains one.
    ///
    /// - Throws: ``AuditError`` with `.invalidArgument`.
    public static func head(in json: [UInt8]) throws(AuditError) -> AuditHead {
        struct Report: Decodable { var head: AuditHeadFile }
        let (decoder, data) = (JSONDecoder(), Data(json))
        guard
            let file = (try? decoder.decode(AuditHeadFile.self, from: data))
                ?? (try? decoder.decode(Report.self, from: data))?.head,
            let hash = Hexadecimal.decode(file.hash), hash.count == AuditRecord.hashLength,
            let revocations = Hexadecimal.decode(file.revocations), revocations.count == AuditRecord.hashLength
        else {
            throw AuditError(
                .invalidArgument, "The file is no head of an audit chain; `kmsd audit verify --write-head` makes one.")
        }
        return AuditHead(
            position: AuditPosition(index: file.index, hash: hash), epoch: file.epoch, revocations: revocations)
    }
}

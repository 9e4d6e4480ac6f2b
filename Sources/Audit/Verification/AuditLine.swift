import Encodings
import Foundation

/// One line of an export: a record or a checkpoint as JSON.
///
/// The line says everything in words and nothing twice: verification computes the record's bytes from it. There is one
/// spelling of a line: members sorted, no white space, every character outside printable ASCII escaped, so that a line is
/// harmless on a terminal and no reader can take it for another one.
public enum AuditLine: Sendable, Hashable {
    case record(AuditRecord, hash: [UInt8])
    case checkpoint(AuditCheckpoint)

    /// Bytes of a line at most.
    static let limit = 256 * 1024

    private struct RecordForm: Codable {
        var type = "record"
        var index: UInt64
        var time: Int64
        var boot: String
        var token: String
        var previous: String
        var kind: AuditRecord.Kind
        var epoch: UInt64
        var revocations: String?
        var store: UInt64?
        var stores: [String: UInt64]?  // exact: the names are this program's own, in ASCII.
        var event: AuditEvent
        var hash: String
    }

    private struct CheckpointForm: Codable {
        var type = "checkpoint"
        var index: UInt64
        var hash: String
        var time: Int64
        var token: String
        var counter: UInt64?
        var publicKey: String
        var signature: String
    }

    /// Without a newline.
    public var json: String {
        let form: any Encodable
        switch self {
        case .record(let record, let hash):
            form = RecordForm(
                index: record.index, time: record.time, boot: Hexadecimal.encode(record.boot), token: record.token,
                previous: Hexadecimal.encode(record.previous), kind: record.kind, epoch: record.epoch,
                revocations: record.revocations.isEmpty ? nil : Hexadecimal.encode(record.revocations),
                store: record.storeEpoch, stores: record.sealed.isEmpty ? nil : record.sealed, event: record.event,
                hash: Hexadecimal.encode(hash))
        case .checkpoint(let checkpoint):
            form = CheckpointForm(
                index: checkpoint.position.index, hash: Hexadecimal.encode(checkpoint.position.hash),
                time: checkpoint.time, token: checkpoint.token, counter: checkpoint.counter,
                publicKey: Base64.encode(checkpoint.publicKey),
                signature: Hexadecimal.encode(checkpoint.signature))
        }
        return PlainJSON.encode(form)
    }

    /// Reads a line, without its newline.
    ///
    /// - Returns: nil unless it is exactly what ``json`` gives.
    public init?(json bytes: [UInt8]) {
        guard bytes.count <= Self.limit else { return nil }
        let (decoder, json) = (JSONDecoder(), Data(bytes))
        if let form = try? decoder.decode(RecordForm.self, from: json), form.type == "record" {
            guard let boot = Hexadecimal.decode(form.boot), let previous = Hexadecimal.decode(form.previous),
                let revocations = Hexadecimal.decode(form.revocations ?? ""), let hash = Hexadecimal.decode(form.hash)
            else { return nil }
            let record = AuditRecord(
                index: form.index, time: form.time, boot: boot, token: form.token, previous: previous, kind: form.kind,
                epoch: form.epoch, revocations: revocations, storeEpoch: form.store, sealed: form.stores ?? [:],
                event: form.event)
            // Refuses what the chain itself could not hold.
            guard AuditRecord(encoded: record.encoded) == record else { return nil }
            self = .record(record, hash: hash)
        } else if let form = try? decoder.decode(CheckpointForm.self, from: json), form.type == "checkpoint" {
            guard let hash = Hexadecimal.decode(form.hash), let key = Base64.decode(form.publicKey),
                let signature = Hexadecimal.decode(form.signature)
            else { return nil }
            self = .checkpoint(
                AuditCheckpoint(
                    position: AuditPosition(index: form.index, hash: hash), time: form.time, token: form.token,
                    counter: form.counter, publicKey: key, signature: signature))
        } else {
            return nil
        }
        guard self.json.utf8.elementsEqual(bytes) else { return nil }
    }

    /// The record's or the checkpoint's index.
    public var index: UInt64 {
        switch self {
        case .record(let record, _): record.index
        case .checkpoint(let checkpoint): checkpoint.position.index
        }
    }
}

import Encodings
import Foundation
import LibCrypto

/// The record of a migration: JSON, one object a line, members sorted, no white space. Each line carries a hash over itself and
/// all lines before it, and the last one the signatures of both audit keys over the hash.
public enum Transcript {
    /// The first line.
    public struct Header: Codable, Sendable, Equatable {
        public var type = "header"
        public var version = 1
        public var source: Side
        public var target: Side
        /// Milliseconds since 1970.
        public var time: Int64
        var chain: String?

        public init(source: Side, target: Side, time: Int64) {
            self.source = source
            self.target = target
            self.time = time
        }
    }

    /// One of the two tokens.
    public struct Side: Codable, Sendable, Equatable {
        public var label: String
        public var serial: String
        public var manufacturer: String
        public var model: String
        /// What the token was provisioned as.
        public var instance: String
        /// SubjectPublicKeyInfo in hex.
        public var auditKey: String

        public init(
            label: String, serial: String, manufacturer: String, model: String, instance: String, auditKey: String
        ) {
            self.label = label
            self.serial = serial
            self.manufacturer = manufacturer
            self.model = model
            self.instance = instance
            self.auditKey = auditKey
        }
    }

    /// One record that was moved and proved.
    public struct Record: Codable, Sendable, Equatable {
        public var type = "record"
        public var number = 0
        public var kind: String
        public var name: String
        /// How it moved, and where its secret was in the clear meanwhile.
        public var route = Transcript.reseal
        public var exposure = Transcript.lockedMemory
        /// SHA-256 of the record as it was, and of the form that takes its place, in hex.
        public var source: String
        public var target: String
        /// 32 bytes in hex, and what both tokens answered.
        public var challenge: String
        public var sourceProof: String
        public var targetProof: String
        var chain: String?

        public init(
            kind: String, name: String, source: String, target: String, challenge: String, sourceProof: String,
            targetProof: String
        ) {
            self.kind = kind
            self.name = name
            self.source = source
            self.target = target
            self.challenge = challenge
            self.sourceProof = sourceProof
            self.targetProof = targetProof
        }
    }

    /// The last line.
    public struct End: Codable, Sendable, Equatable {
        public var type = "end"
        public var records: Int
        /// r ‖ s by each audit key, in hex.
        public var sourceSignature: String
        public var targetSignature: String
    }

    public static let reseal = "re-seal"
    public static let lockedMemory = "locked-memory"

    /// Longer than any line, in bytes.
    static let longestLine = 64 * 1024

    /// What both audit keys sign.
    static func signed(records: Int, chain: [UInt8]) -> [UInt8] {
        var fields = RecordFields(.migrationTranscript)
        fields.append(UInt64(clamping: records))
        fields.append(chain)
        return fields.bytes
    }

    /// The hash over a line, as it is without its own hash, and all before it.
    static func step(_ before: [UInt8], _ line: [UInt8]) throws -> [UInt8] {
        var fields = RecordFields(.migrationLine, capacity: line.count + 96)
        fields.append(before)
        fields.append(line)
        return try Digest.sha256(fields.bytes)
    }

    static let origin = [UInt8](repeating: 0, count: 32)

    static func encode(_ line: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return [UInt8](try encoder.encode(line))
    }
}

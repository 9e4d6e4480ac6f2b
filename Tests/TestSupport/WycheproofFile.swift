import Foundation

/// Signatures of Project Wycheproof: what a verifier must refuse, and some it must accept.
public struct WycheproofFile: Decodable, Sendable {
    public struct Case: Decodable, Sendable {
        public let comment: String
        public let valid: Bool
        private let message: String
        private let signature: String

        public var messageBytes: [UInt8] { hex(message) }
        public var signatureBytes: [UInt8] { hex(signature) }
    }

    public struct Group: Decodable, Sendable {
        /// 0x04 ‖ X ‖ Y, the 32 bytes of Ed25519, or a modulus; in hexadecimal digits.
        private let key: String
        private let exponent: String?
        public let cases: [Case]

        public var keyBytes: [UInt8] { hex(key) }
        /// Of RSA only.
        public var exponentBytes: [UInt8] { hex(exponent ?? "") }
    }

    /// How a verifier stood the test.
    public struct Outcome: Sendable {
        /// Comments of the bad signatures that it accepted.
        public var accepted: [String] = []
        /// Comments of the good ones that it refused.
        public var refused: [String] = []
        /// How many bad ones it was shown.
        public var bad = 0
        public var good = 0

        /// Nothing bad was accepted, nothing good was refused, and there was enough of both to mean something.
        public var isClean: Bool { accepted.isEmpty && refused.isEmpty && bad >= 60 && good >= 5 }
    }

    public let groups: [Group]

    /// - Parameter name: Of the file without `.json`, such as `p256_der`.
    public init(_ name: String) throws {
        let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Wycheproof/\(name).json")
        self = try JSONDecoder().decode(Self.self, from: Data(contentsOf: url))
    }

    /// Shows every case to a verifier.
    ///
    /// - Parameter key: Makes the verifier's key of a group's; nil if it refuses the key, and with it each signature.
    public func outcome<Key>(
        key: (Group) async throws -> Key?, verifies: (Key, _ signature: [UInt8], _ message: [UInt8]) throws -> Bool
    ) async throws -> Outcome {
        var outcome = Outcome()
        for group in groups {
            let key = try await key(group)
            for each in group.cases {
                let holds = try key.map { try verifies($0, each.signatureBytes, each.messageBytes) } ?? false
                if each.valid { outcome.good += 1 } else { outcome.bad += 1 }
                if holds && !each.valid { outcome.accepted.append(each.comment) }
                if !holds && each.valid { outcome.refused.append(each.comment) }
            }
        }
        return outcome
    }
}

/// The form of everything that the result key signs, and of nothing that the audit key signs.
///
/// Both keys are asked for by name inside one process, so a slip of a caller could exchange them. The bridge looks at the
/// message: a result can never become a checkpoint, a receipt or an attestation, whose forms begin with other labels, and
/// none of these can become a result.
///
/// What the generations GA and GB of the decryption API sign has no label: it begins with a DER SEQUENCE. Its first byte, 30,
/// is that of no labelled form, which begin with a length below 2^24, so the keys' messages stay apart.
public struct ResultMessage: Sendable {
    /// `EnclaveLock.Labels` has it too, where a test holds all labels apart.
    private static let label = "kmsd/result/v1"

    /// Two fields, label and body, each behind its length in 4 bytes, big-endian.
    public let encoded: [UInt8]

    public init(_ body: [UInt8]) {
        precondition(body.count <= Int(UInt32.max), "a result is shorter than 4 GiB")
        encoded = Self.head(body.count) + body
    }

    /// A result that is signed as it stands.
    ///
    /// - Parameter sequence: Begins with a DER SEQUENCE; nil otherwise.
    public init?(sequence: [UInt8]) {
        guard Self.beginsWithSequence(sequence) else { return nil }
        encoded = sequence
    }

    private static func beginsWithSequence(_ message: [UInt8]) -> Bool { message.first == 0x30 }

    static func isOne(_ message: [UInt8]) -> Bool {
        if beginsWithSequence(message) { return true }
        let body = message.count - prefix.count - 4
        return body >= 0 && message.starts(with: prefix + length(body))
    }

    /// What stands before a body of so many bytes.
    static func head(_ count: Int) -> [UInt8] { prefix + length(count) }

    private static let prefix = length(label.utf8.count) + Array(label.utf8)

    private static func length(_ count: Int) -> [UInt8] {
        withUnsafeBytes(of: UInt32(count).bigEndian, Array.init)
    }
}

extension KeyRole {
    /// - Throws: `.invalidArgument` if the role does not sign, or does not sign this.
    package func checkSigning(_ message: [UInt8]) throws(HSMError) {
        guard signs else { throw HSMError(.invalidArgument, "The role '\(rawValue)' does not sign.") }
        guard ResultMessage.isOne(message) == (self == .result) else {
            throw HSMError(
                .invalidArgument,
                self == .result
                    ? "The result key signs results only." : "The role '\(rawValue)' does not sign results.")
        }
    }
}

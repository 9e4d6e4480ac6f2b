public import Token

/// Lets the token's audit key sign receipts.
///
/// - Concurrency: any number of calls at once; one token operation each.
public struct ReceiptIssuer: Sendable {
    private let token: any Signing

    public init(token: any Signing) { self.token = token }

    /// Issues the receipt of a decision that is in the chain already.
    ///
    /// - Parameters:
    ///   - policyHash: SHA-256 of the key's policy in its canonical form; 32 bytes.
    ///   - restrictions: What the key is restricted to; order and repetition do not matter.
    ///   - subject: Whose key.
    ///   - messageHash: SHA-256 of what was signed; 32 bytes.
    ///   - record: What ``AuditRecording/record(_:)`` returned.
    /// - Throws: ``AuditError`` with `.invalidArgument`, or `.unavailable` if the token does not sign.
    public func issue(
        policyHash: [UInt8], restrictions: [String], subject: String, messageHash: [UInt8], record: AuditPosition
    ) async throws(AuditError) -> Receipt {
        let description = try await publicKey()
        var receipt = try Receipt(
            policyHash: policyHash, restrictions: restrictions, subject: subject, messageHash: messageHash,
            record: record, time: AuditClock.now(), keyFingerprint: description.fingerprint)
        receipt.signature = try await sign(receipt.encoded)
        // A token that errs must not make the daemon give out a receipt that nobody can check.
        guard receipt.verifies(with: try AuditPublicKey(subjectPublicKeyInfo: description.subjectPublicKeyInfo)) else {
            throw AuditError(.unavailable, "The token made a signature that its audit key does not verify.")
        }
        return receipt
    }

    private func publicKey() async throws(AuditError) -> PublicKeyDescription {
        do {
            return try await token.publicKey(of: .audit)
        } catch {
            throw AuditError(.unavailable, "The token does not show its audit key: \(error)")
        }
    }

    private func sign(_ message: [UInt8]) async throws(AuditError) -> [UInt8] {
        do {
            return try await token.sign(message, with: .audit)
        } catch {
            throw AuditError(.unavailable, "The token does not sign the receipt: \(error)")
        }
    }
}

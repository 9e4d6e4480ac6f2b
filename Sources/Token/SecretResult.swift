public import SecretMemory

/// A ``ResultMessage`` with a secret in it: a decrypted value before it may be known.
///
/// It is hashed where it lies. The digest stays a secret, too: of a message in which all but a small number is known, it gives
/// the number away to whoever tries them all.
///
/// - Concurrency: immutable; any thread.
public struct SecretResult: Sendable {
    /// What is hashed and signed.
    package let encoded: SharedSecret

    /// A labelled form around `body`.
    public init(body: borrowing SecretBytes) throws(SecretMemoryError) {
        let head = ResultMessage.head(body.count)
        encoded = SharedSecret(try SecretBytes.joining(head, body, []))
    }

    /// A result that is signed as it stands.
    ///
    /// - Parameter sequence: Begins with a DER SEQUENCE; nil otherwise.
    public init?(sequence: consuming SecretBytes) {
        guard sequence.withUnsafeBytes({ $0.first == 0x30 }) else { return nil }
        encoded = SharedSecret(sequence)
    }
}

/// A token that signs results which are secret until the signature is there.
public protocol ResultSigning: Signing {
    /// Signs SHA-256 of a result with the role ``KeyRole/result``; errors and answer as of ``Signing/sign(_:with:)``.
    func sign(_ result: SecretResult) async throws(HSMError) -> [UInt8]
}

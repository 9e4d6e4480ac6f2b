public import SecretMemory

/// Seals small secrets under a key that never leaves its device.
public protocol Sealing: Sendable {
    /// Encrypts and authenticates a secret.
    ///
    /// - Parameters:
    ///   - role: A sealing role.
    ///   - context: 1 to 4096 bytes, authenticated but not stored; the same bytes are needed to open.
    /// - Returns: version(1) ‖ iv(12) ‖ ciphertext(n) ‖ tag(16).
    /// - Throws: `.invalidArgument`, `.tokenUnavailable`, `.overloaded`, `.deadlineExceeded`, `.keyMissing`.
    func seal(_ plaintext: SharedSecret, under role: KeyRole, context: [UInt8]) async throws(HSMError) -> [UInt8]

    /// Opens what ``seal(_:under:context:)`` made.
    ///
    /// - Throws: `.authenticationFailed` for whatever is wrong with the input, besides what `seal` throws.
    func open(_ sealed: [UInt8], under role: KeyRole, context: [UInt8]) async throws(HSMError) -> SharedSecret

    /// Stable name of the device and its root key; what was sealed by one identity opens only there.
    var sealingIdentity: String { get }
}

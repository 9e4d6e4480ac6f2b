/// Signs with a key that never leaves its device.
public protocol Signing: Sendable {
    /// Signs SHA-256 of a message with a role's key.
    ///
    /// - Parameter message: For ``KeyRole/result`` an encoded ``ResultMessage``, for other roles anything but that.
    /// - Returns: r ‖ s, 64 bytes; on secp256k1 with the lower of the two values of s.
    /// - Throws: `.invalidArgument` if the role does not sign, or not this; `.keyMissing` if the token was provisioned
    ///   without the role; `.tokenUnavailable`, `.overloaded`, `.deadlineExceeded`.
    func sign(_ message: [UInt8], with role: KeyRole) async throws(HSMError) -> [UInt8]

    /// The public key that verifies a role's signatures.
    func publicKey(of role: KeyRole) async throws(HSMError) -> PublicKeyDescription
}

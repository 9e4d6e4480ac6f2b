public import SecretMemory
public import WorkingKeys

/// What a key does with another party's public key: content keys wrapped for a recipient, and NaCl's boxes.
///
/// Every method throws ``KMSError``, as ``KeystoreServing`` says.
public protocol KeyAgreeing: Sendable {
    /// Wraps a content key for a recipient who does not learn by whom (ECDH-ES+A256KW).
    ///
    /// - Throws: `.notFound`; `.invalidArgument` for a content key of a wrong length or a point off its curve.
    func wrap(
        keystore: String, contentKey: SharedSecret, recipient: AgreementPublicKey, apu: [UInt8], apv: [UInt8],
        options: WrapOptions, caller: Caller
    ) async throws -> WrappedKey

    /// Wraps a content key so that the recipient knows the sender (ECDH-1PU).
    ///
    /// - Parameter tag: The authentication tag of the content; may be empty.
    /// - Throws: `.notFound`, `.keyDisabled`, `.invalidArgument`.
    func wrap(
        keystore: String, sender: String, contentKey: SharedSecret, recipient: AgreementPublicKey, apu: [UInt8],
        apv: [UInt8], tag: [UInt8], options: WrapOptions, caller: Caller
    ) async throws -> WrappedKey

    /// Unwraps a content key with any version of the key.
    ///
    /// - Throws: `.ciphertextInvalid`; `.notFound`, `.keyDisabled`, `.invalidArgument`.
    func unwrap(
        keystore: String, key: String, wrapped: WrappedKey, sender: AgreementPublicKey?, tag: [UInt8], caller: Caller
    ) async throws -> SharedSecret

    /// Boxes a payload (NaCl) with the X25519 form of an Ed25519 key.
    ///
    /// - Throws: `.notFound`, `.keyDisabled`, `.invalidArgument`.
    func easy(
        keystore: String, key: String, payload: [UInt8], nonce: [UInt8], peer: [UInt8], caller: Caller
    ) async throws -> [UInt8]

    /// Opens a box with the key whose public half is `own`; `key` names it in case it was rotated.
    ///
    /// - Throws: `.ciphertextInvalid`; `.notFound`, `.keyDisabled`, `.invalidArgument`.
    func easyOpen(
        keystore: String, key: String?, box: [UInt8], nonce: [UInt8], peer: [UInt8], own: [UInt8], caller: Caller
    ) async throws -> [UInt8]

    /// Opens a sealed box, as ``easyOpen(keystore:key:box:nonce:peer:own:)``.
    func sealOpen(keystore: String, key: String?, box: [UInt8], own: [UInt8], caller: Caller) async throws -> [UInt8]
}

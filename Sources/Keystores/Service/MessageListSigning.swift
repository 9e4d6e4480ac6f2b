/// Signatures over lists of messages, and proofs of some of them (BBS+).
///
/// Every method throws ``KMSError``, as ``KeystoreServing`` says.
public protocol MessageListSigning: Sendable {
    /// Signs a list of 1 to 1,000 messages.
    ///
    /// - Returns: 112 bytes.
    /// - Throws: `.notFound`, `.keyDisabled`, `.invalidArgument`.
    func signMulti(keystore: String, key: String, messages: [[UInt8]], caller: Caller) async throws -> [UInt8]

    /// Returns if the signature was made by any version of the key.
    ///
    /// - Throws: `.signatureInvalid`; `.notFound`, `.keyDisabled`, `.invalidArgument`.
    func verifyMulti(keystore: String, key: String, signature: [UInt8], messages: [[UInt8]], caller: Caller)
        async throws

    /// Derives a proof that shows some of the messages of a signature that any version of the key made.
    ///
    /// - Throws: `.signatureInvalid`; `.notFound`, `.keyDisabled`, `.invalidArgument` for indexes that name no message.
    func deriveProof(keystore: String, key: String, _ request: ProofRequest, caller: Caller) async throws -> [UInt8]

    /// Returns if the proof is of a signature that any version of the key made.
    ///
    /// - Parameter messages: The revealed ones and no other, in the order of their indexes.
    /// - Throws: `.signatureInvalid`; `.notFound`, `.keyDisabled`, `.invalidArgument`.
    func verifyProof(
        keystore: String, key: String, proof: [UInt8], messages: [[UInt8]], nonce: [UInt8], caller: Caller
    ) async throws
}

import Token

extension DecryptionService {
    /// Refuses to repeat an answer if it is not, byte for byte, what was signed here, and if what may end by itself has ended:
    /// the user's authorisation, the key's service, or the settings that it was given under. What is repeated is recorded and
    /// may have a receipt, so a row that somebody wrote into the database must not get as far as that.
    func stillHolds(_ request: OwnRequest, _ kept: KeptAnswer) async throws(DecryptionError) {
        let policy = try currentPolicy()
        let key = try await signer.key()
        guard kept.signer == key.fingerprint, kept.algorithm == key.algorithm, kept.chainID == headers.chainID,
            kept.policy == policy
        else {
            throw DecryptionError(
                .precondition, "answer-of-other-settings",
                "the answer under this request_id was given under other settings or another key for results; ask under a "
                    + "new request_id")
        }
        guard try await signer.hasSigned(ResultMessage(kept.signed(method: request.method)), kept.signature) else {
            throw DecryptionError(
                .failed, "row-altered",
                "what is kept under this request_id is not what was signed; ask under a new request_id")
        }
        if let receiver = request.receiver {
            let account = try account(
                receiver.authorization, requester: nil, encryptionKey: receiver.encryptionKey)
            guard account == kept.account else { throw .failed("an answer of another account was kept") }
        }
        guard let record = try await keys.store.key(kept.keyID) else {
            throw DecryptionError(.notFound, "unknown-key", "there is no key of that name")
        }
        try DecryptionKeyVault.check(record)
    }
}

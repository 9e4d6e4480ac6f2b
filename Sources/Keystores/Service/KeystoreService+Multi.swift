import WorkingKeys

extension KeystoreService {
    public func signMulti(keystore: String, key: String, messages: [[UInt8]], caller: Caller = .nobody) async throws
        -> [UInt8]
    {
        try checkMessages(messages)
        return try await use(keystore, key, caller) { try await $0.signMulti(messages, bbs) }
    }

    public func verifyMulti(
        keystore: String, key: String, signature: [UInt8], messages: [[UInt8]], caller: Caller = .nobody
    ) async throws {
        try checkMessages(messages)
        _ = try await use(keystore, key, caller) { opened in
            try await opened.verifyMulti(signature, messages: messages, bbs)
            return true
        }
    }

    public func deriveProof(keystore: String, key: String, _ request: ProofRequest, caller: Caller = .nobody)
        async throws -> [UInt8]
    {
        try checkMessages(request.messages)
        return try await use(keystore, key, caller) { try await $0.deriveProof(request, bbs) }
    }

    public func verifyProof(
        keystore: String, key: String, proof: [UInt8], messages: [[UInt8]], nonce: [UInt8], caller: Caller = .nobody
    ) async throws {
        try checkMessages(messages)
        _ = try await use(keystore, key, caller) { opened in
            try await opened.verifyProof(proof, messages: messages, nonce: nonce, bbs)
            return true
        }
    }

    /// Before the key is opened; the key's own operations check the numbers again.
    private func checkMessages(_ messages: [[UInt8]]) throws {
        guard messages.count <= WorkingKey.maximumMessages else {
            throw KMSError(
                .invalidArgument, "More than \(WorkingKey.maximumMessages) messages are given, which is the limit.")
        }
        guard messages.allSatisfy({ $0.count <= configuration.maximumMessageBytes }) else {
            throw KMSError(
                .invalidArgument, "A message is longer than \(configuration.maximumMessageBytes) bytes.")
        }
    }
}

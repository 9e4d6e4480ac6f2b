import WorkingKeys

/// BBS+ with a sealed key, on the threads for long computations; ordinary functions for the reason told at key
/// agreement.
extension OpenedKey {
    @inline(never)
    func signMulti(_ messages: [[UInt8]], _ compute: BBSCompute) async throws -> [UInt8] {
        let key = try sealedKey()
        return try await compute.pool.run { try key.signMulti(messages, generators: compute.generators) }
    }

    @inline(never)
    func verifyMulti(_ signature: [UInt8], messages: [[UInt8]], _ compute: BBSCompute) async throws {
        let key = try sealedKey()
        _ = try await compute.pool.run {
            try key.verifyMulti(signature, messages: messages, generators: compute.generators)
            return []
        }
    }

    @inline(never)
    func deriveProof(_ request: ProofRequest, _ compute: BBSCompute) async throws -> [UInt8] {
        let key = try sealedKey()
        return try await compute.pool.run {
            try key.deriveProof(
                request.signature, messages: request.messages, revealed: request.revealed, nonce: request.nonce,
                generators: compute.generators)
        }
    }

    @inline(never)
    func verifyProof(
        _ proof: [UInt8], messages: [[UInt8]], nonce: [UInt8], _ compute: BBSCompute
    ) async throws {
        let key = try sealedKey()
        _ = try await compute.pool.run {
            try key.verifyProof(proof, messages: messages, nonce: nonce, generators: compute.generators)
            return []
        }
    }
}

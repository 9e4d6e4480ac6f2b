import WorkingKeys

/// One door for both protections: a sealed key works in this process, a resident one in the token.
extension OpenedKey {
    func sign(_ message: [UInt8]) async throws -> [UInt8] {
        switch body {
        case .sealed(let key): try key.sign(message)
        case .resident(let key): try await key.sign(message)
        }
    }

    /// Signs, and takes the prefix off a secp256k1 signature, which other ES256K software does not know.
    func signRaw(_ message: [UInt8]) async throws -> [UInt8] {
        let signature = try await sign(message)
        guard type == .ecdsaSecp256k1P1363, signature.count == 69 else { return signature }
        return Array(signature.dropFirst(5))
    }

    func verify(signature: [UInt8], message: [UInt8]) async throws {
        switch body {
        case .sealed(let key): try key.verify(signature: signature, message: message)
        case .resident(let key): try key.verify(signature: signature, message: message)
        }
    }

    func encrypt(
        _ message: [UInt8], associatedData: [UInt8]
    ) async throws -> (ciphertext: [UInt8], nonce: [UInt8]) {
        switch body {
        case .sealed(let key): try key.encrypt(message, associatedData: associatedData)
        case .resident(let key): try await key.encrypt(message, associatedData: associatedData)
        }
    }

    func decrypt(ciphertext: [UInt8], nonce: [UInt8], associatedData: [UInt8]) async throws -> [UInt8] {
        switch body {
        case .sealed(let key):
            try key.decrypt(ciphertext: ciphertext, nonce: nonce, associatedData: associatedData)
        case .resident(let key):
            try await key.decrypt(ciphertext: ciphertext, nonce: nonce, associatedData: associatedData)
        }
    }

    func mac(_ data: [UInt8]) async throws -> [UInt8] {
        switch body {
        case .sealed(let key): try key.mac(data)
        case .resident(let key): try await key.mac(data)
        }
    }

    func verifyMAC(_ mac: [UInt8], data: [UInt8]) async throws {
        switch body {
        case .sealed(let key): try key.verifyMAC(mac, data: data)
        case .resident(let key): try await key.verifyMAC(mac, data: data)
        }
    }
}

import SecretMemory
import WorkingKeys

/// Key agreement with a sealed key in this process, or with a resident one in its token.
///
/// These are ordinary functions of their own on purpose: the optimiser of Swift 6.3.1 crashes when it specialises the
/// generic asynchronous use of a key for closures that call functions with typed errors.
extension OpenedKey {
    @inline(never)
    func wrap(
        _ contentKey: SharedSecret, for recipient: AgreementPublicKey, apu: [UInt8], apv: [UInt8], tag: [UInt8],
        options: WrapOptions
    ) async throws -> WrappedKey {
        if case .resident(let key) = body {
            return try await key.wrap(contentKey, for: recipient, apu: apu, apv: apv, tag: tag, options: options)
        }
        let key = try sealedKey()
        return try contentKey.withSecret { secret throws(WorkingKeyError) in
            try KeyWrapping.wrap(secret, from: key, for: recipient, apu: apu, apv: apv, tag: tag, options: options)
        }
    }

    @inline(never)
    func unwrap(_ wrapped: WrappedKey, sender: AgreementPublicKey?, tag: [UInt8]) async throws -> SharedSecret {
        if case .resident(let key) = body { return try await key.unwrap(wrapped, sender: sender, tag: tag) }
        return SharedSecret(try KeyWrapping.unwrap(wrapped, with: try sealedKey(), sender: sender, tag: tag))
    }

    @inline(never)
    func easy(_ payload: [UInt8], nonce: [UInt8], to peer: [UInt8]) throws -> [UInt8] {
        try sealedKey().easy(payload, nonce: nonce, to: peer)
    }

    @inline(never)
    func easyOpen(_ box: [UInt8], nonce: [UInt8], from peer: [UInt8], own: [UInt8]) throws -> [UInt8] {
        try sealedKey().easyOpen(box, nonce: nonce, from: peer, own: own)
    }

    @inline(never)
    func sealOpen(_ box: [UInt8], own: [UInt8]) throws -> [UInt8] {
        try sealedKey().sealOpen(box, own: own)
    }

    /// The key in this process's locked memory.
    func sealedKey() throws -> WorkingKey {
        switch body {
        case .sealed(let key): key
        case .resident:
            throw KMSError(
                .mechanismUnsupported,
                "A resident \(type.rawValue) key cannot do this; use a keystore with 'sealed' protection.")
        }
    }
}

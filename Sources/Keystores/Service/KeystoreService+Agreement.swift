public import SecretMemory
public import WorkingKeys

extension KeystoreService {
    public func wrap(
        keystore: String, contentKey: SharedSecret, recipient: AgreementPublicKey, apu: [UInt8], apv: [UInt8],
        options: WrapOptions, caller: Caller = .nobody
    ) async throws -> WrappedKey {
        // No key of the keystore takes part; opening it makes an unknown one the error it is elsewhere.
        try await translated {
            _ = try await open(keystore, caller)
            return try contentKey.withSecret { secret throws(WorkingKeyError) in
                try KeyWrapping.wrap(secret, for: recipient, apu: apu, apv: apv, options: options)
            }
        }
    }

    public func wrap(
        keystore: String, sender: String, contentKey: SharedSecret, recipient: AgreementPublicKey, apu: [UInt8],
        apv: [UInt8], tag: [UInt8], options: WrapOptions, caller: Caller = .nobody
    ) async throws -> WrappedKey {
        try await use(keystore, sender, caller) {
            try await $0.wrap(contentKey, for: recipient, apu: apu, apv: apv, tag: tag, options: options)
        }
    }

    public func unwrap(
        keystore: String, key: String, wrapped: WrappedKey, sender: AgreementPublicKey?, tag: [UInt8],
        caller: Caller = .nobody
    ) async throws -> SharedSecret {
        try await use(keystore, key, caller) { try await $0.unwrap(wrapped, sender: sender, tag: tag) }
    }

    public func easy(
        keystore: String, key: String, payload: [UInt8], nonce: [UInt8], peer: [UInt8], caller: Caller = .nobody
    ) async throws -> [UInt8] {
        try await use(keystore, key, caller) { try $0.easy(payload, nonce: nonce, to: peer) }
    }

    public func easyOpen(
        keystore: String, key: String?, box: [UInt8], nonce: [UInt8], peer: [UInt8], own: [UInt8],
        caller: Caller = .nobody
    ) async throws -> [UInt8] {
        try await useBoxKey(keystore, own, orElse: key, caller) {
            try $0.easyOpen(box, nonce: nonce, from: peer, own: own)
        }
    }

    public func sealOpen(keystore: String, key: String?, box: [UInt8], own: [UInt8], caller: Caller = .nobody)
        async throws -> [UInt8]
    {
        try await useBoxKey(keystore, own, orElse: key, caller) { try $0.sealOpen(box, own: own) }
    }

    /// Uses the key whose id is the thumbprint of `own`. A rotated key has another id: then the one the caller named.
    private func useBoxKey<R>(
        _ keystore: String, _ own: [UInt8], orElse key: String?, _ caller: Caller,
        _ body: (OpenedKey) async throws -> R
    ) async throws -> R {
        guard own.count == 32 else {
            throw KMSError(.invalidArgument, "An Ed25519 public key has 32 bytes, not \(own.count).")
        }
        let thumbprint = try await translated { try JWKThumbprint.octetKeyPair(curve: "Ed25519", x: own) }
        do {
            return try await use(keystore, thumbprint, caller, body)
        } catch let error as KMSError where error.code == .notFound {
            guard let key, key != thumbprint else { throw error }
            return try await use(keystore, key, caller, body)
        }
    }
}

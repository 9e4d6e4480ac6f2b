import Token

/// Makes, wraps, unwraps and proves resident keys on a session. Everything is a session object.
enum ResidentFactory {
    private static let session: [Attribute] = [.flag(.token, false), .flag(.private, true)]

    /// Makes a key, wraps it and destroys the extractable original, all before the caller's thread does anything else.
    static func generate(
        _ algorithm: ResidentAlgorithm, session: borrowing Session, wrappingKey: ObjectHandle
    ) throws(HSMError) -> ResidentKeyBlob {
        let original: ObjectHandle
        var publicHandle: ObjectHandle?
        var publicKey: [UInt8]?
        let movable: [Attribute] = Self.session + [.flag(.sensitive, true), .flag(.extractable, true)]
        if let curve = algorithm.curve {
            let pair = try session.generateKeyPair(
                algorithm.keyGeneration,
                publicKey: [
                    .flag(.token, false), .flag(.private, false), .flag(.verify, !algorithm.isAgreement),
                    .bytes(.ecParameters, curve.parameters),
                ],
                privateKey: KeyTemplate(
                    movable + algorithm.usage + [.flag(.decrypt, false)]
                        + (algorithm.isAgreement ? [] : [.flag(.derive, false)])))
            original = pair.privateKey
            publicKey = try session.attribute(.ecPoint, of: pair.publicKey).flatMap(curve.point(fromAttribute:))
            publicHandle = pair.publicKey
        } else {
            original = try session.generateKey(
                algorithm.keyGeneration,
                KeyTemplate(
                    movable + algorithm.usage + [
                        .objectClass(.secretKey), .keyType(algorithm.keyType),
                        .number(.valueLength, UInt(algorithm.keyLength)),
                    ]))
        }
        let wrapped = try session.wrapAway(original, under: wrappingKey)
        if let publicHandle { try session.destroy(publicHandle) }
        guard algorithm.curve == nil || publicKey != nil else {
            throw HSMError(.deviceFailure, "The token does not show the point of a public key.")
        }
        return ResidentKeyBlob(
            identifier: SystemRandom.bytes(16), algorithm: algorithm, wrapped: wrapped, publicKey: publicKey)
    }

    /// Unwraps a key into `keeper`, never extractable and good for its algorithm only.
    static func unwrap(
        _ blob: ResidentKeyBlob, keeper: borrowing Session, wrappingKey: ObjectHandle
    ) throws(HSMError) -> ObjectHandle {
        try keeper.unwrap(
            blob.wrapped, under: wrappingKey, .aesKeyWrapPad,
            KeyTemplate(
                session + KeyTemplate.residentGuard + blob.algorithm.usage + [
                    .objectClass(blob.algorithm.curve == nil ? .secretKey : .privateKey),
                    .keyType(blob.algorithm.keyType), .bytes(.id, blob.identifier),
                    .allowedMechanisms([blob.algorithm.mechanism]),
                ]))
    }

    /// Proves that an unwrapped key is what its blob says: length and use, or agreement with the public key.
    ///
    /// - Throws: `.keyMismatch` if it is not.
    static func prove(_ blob: ResidentKeyBlob, handle: ObjectHandle, session: borrowing Session) throws(HSMError) {
        let mismatch = HSMError(.keyMismatch, "An unwrapped key is not the one its record describes.")
        let challenge = SystemRandom.bytes(32)
        guard let curve = blob.algorithm.curve else {
            // RFC 5649 adds 8 bytes to a multiple of 8. SoftHSM does not record the length of an unwrapped key.
            let length = blob.algorithm.keyLength
            let recorded = try session.number(.valueLength, of: handle) ?? 0
            guard blob.wrapped.count == length + 8, recorded == 0 || recorded == UInt(length) else { throw mismatch }
            return
        }
        guard let point = blob.publicKey, point.count == curve.pointLength else { throw mismatch }
        guard !blob.algorithm.isAgreement else {
            guard try session.agrees(handle, publicKey: point, on: curve) else { throw mismatch }
            return
        }
        let signature = try session.sign(
            blob.algorithm.mechanism, key: handle, challenge, length: curve.signatureLength)
        let isGood = try session.verify(
            blob.algorithm.mechanism, point: point, on: curve, challenge, signature: signature)
        guard isGood else { throw mismatch }
    }

    /// Whether the token can do everything a resident key of this kind needs, tried with a throw-away key.
    ///
    /// - Throws: Only if the token is gone; a refusal is an answer.
    static func isPossible(
        _ algorithm: ResidentAlgorithm, session: borrowing Session, wrappingKey: ObjectHandle
    ) throws(HSMError) -> Bool {
        do throws(HSMError) {
            let blob = try generate(algorithm, session: session, wrappingKey: wrappingKey)
            let handle = try unwrap(blob, keeper: session, wrappingKey: wrappingKey)
            try prove(blob, handle: handle, session: session)
            guard try session.flag(.extractable, of: handle) == false else { return false }
            try tryOut(blob, handle: handle, session: session)
            try session.destroy(handle)
            return true
        } catch {
            guard let value = error.returnValue else { return false }
            switch value.recovery {
            case .reconnect, .reLogin, .shed, .operator: throw error
            case .retrySession, .reResolve, .inputOrDevice, .fatal: return false
            }
        }
    }

    /// Uses a symmetric key once; key pairs were used by ``prove(_:handle:session:)``.
    private static func tryOut(
        _ blob: ResidentKeyBlob, handle: ObjectHandle, session: borrowing Session
    ) throws(HSMError) {
        if blob.algorithm.isAES {
            let iv = SystemRandom.bytes(Mechanism.gcmIVLength)
            let plaintext = SystemRandom.bytes(32)
            let sealed = try GCM.encrypt(plaintext, key: handle, iv: iv, associatedData: [1], session: session)
            let opened = try GCM.decrypt(sealed, key: handle, iv: iv, associatedData: [1], session: session)
            guard opened == plaintext else {
                throw HSMError(.deviceFailure, "The token does not decrypt what it encrypted.")
            }
        } else if blob.algorithm == .hmacSHA256 {
            _ = try session.sign(.sha256HMAC, key: handle, [1, 2, 3], length: 32)
        }
    }
}

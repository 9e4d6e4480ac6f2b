import Token

/// How the keys of the sealing roles would seal here.
extension TokenProbe {
    /// Seals and opens with a throw-away key of the first of the kinds that the token serves.
    mutating func rootLock() throws(HSMError) -> Double? {
        var refusal: HSMError?
        for kind in KeyRole.rootLock.kinds {
            do throws(HSMError) {
                try seal(kind)
            } catch {
                let lacks = error.returnValue?.lacksMechanism(of: kind, in: error.cause?.function) == true
                // As `kmsd init`: a template that is refused leads to no other kind.
                guard lacks else { throw refusal ?? error }
                refusal = refusal ?? error
                continue
            }
            isUntried = false
            remark = kind.rawValue
            return nil
        }
        throw refusal ?? HSMError(.mechanismUnsupported, "No kind of key serves the role.")
    }

    private mutating func seal(_ kind: KeyKind) throws(HSMError) {
        guard kind.sealsToPublicKey else {
            let key = try generateAES(
                [.aesGCM], [.flag(.encrypt, true), .flag(.decrypt, true), .flag(.extractable, false)])
            let iv = [UInt8](repeating: 0, count: Mechanism.gcmIVLength)
            var sealed = [UInt8](repeating: 0, count: 32)
            try Self.encrypt(session, key, iv, [UInt8](repeating: 0, count: 16), &sealed)
            guard try opens(sealed, key, iv) else { throw Self.wrong("AES-256-GCM does not open what it sealed.") }
            return
        }
        let pair =
            kind == .ecdhSeal
            ? try generatePair(
                .p256, [.flag(.derive, true), .flag(.extractable, false), .allowedMechanisms([.ecdh1Derive])],
                publicUsage: [])
            : try generateRSAPair(kind)
        let half = try SealingHalf(kind, of: pair.publicKey, session)
        guard try PublicSealing(half: half, secret: nil).isProved(by: pair.privateKey, session: session) else {
            throw Self.wrong("The token does not open what is sealed to a pair that it made.")
        }
    }

    private mutating func generateRSAPair(
        _ kind: KeyKind
    ) throws(HSMError) -> (publicKey: ObjectHandle, privateKey: ObjectHandle) {
        var publicKey = ObjectHandle()
        let publicTemplate = persistent(.sealingPublicKey(kind))
        let privateKey = try make(
            [
                .flag(.token, false), .flag(.private, true), .flag(.sensitive, true), .flag(.extractable, false),
                .flag(.decrypt, true), .flag(.sign, false), .flag(.unwrap, false), .allowedMechanisms([.rsaOAEP]),
            ], isStrict: false
        ) { (session, template) throws(HSMError) in
            let pair = try session.generateKeyPair(
                .rsaKeyPairGeneration, publicKey: publicTemplate, privateKey: template)
            publicKey = pair.publicKey
            return pair.privateKey
        }
        created.append(publicKey)
        return (publicKey, privateKey)
    }
}

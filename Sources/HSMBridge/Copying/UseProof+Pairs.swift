import LibCrypto
import SecretMemory
import Token

/// Proofs of private keys, by the public half.
extension UseProof {
    mutating func ofPrivateKey(_ other: ObjectHandle) throws(HSMError) -> Verdict {
        guard let publicHalf else {
            return .untold(
                "the source shows no public key of it that this program can use: none with its CKA_ID, or none of a kind "
                    + "known here")
        }
        switch publicHalf {
        case .rsa(let publicKey):
            if key.has(.sign), let verdict = try rsaSignature(other, publicKey) { return verdict }
            if key.has(.decrypt), let verdict = try rsaDecryption(other, publicKey) { return verdict }
            if key.has(.unwrap), let verdict = try rsaUnwrapping(other, publicKey) { return verdict }
        case .curve(let curve, let point):
            if key.has(.sign), let verdict = try curveSignature(other, curve, point) { return verdict }
            if key.has(.derive), let verdict = try agreement(other, curve, point) { return verdict }
        }
        return nothingTold
    }

    /// One signature of each, of challenges of their own.
    private mutating func signatures(
        _ mechanism: MechanismType, _ other: ObjectHandle, length: Int,
        of input: (_ message: [UInt8]) throws(HSMError) -> [UInt8],
        verifies: (_ signature: [UInt8], _ message: [UInt8]) throws(HSMError) -> Bool
    ) throws(HSMError) -> Verdict? {
        let message = Self.challenge()
        let data = try input(message)
        let made = try both(mechanism.name, other) { (side, key) throws(HSMError) in
            try side.use { session throws(HSMError) in
                try session.sign(mechanism, key: key, data, length: length)
            }
        }
        guard let made else { return nil }
        guard try verifies(made.source, message) else {
            return .untold("the source's own signature is not one of the public key that goes with it")
        }
        guard try verifies(made.target, message) else {
            return .different("the target's signature does not verify under the source's public key")
        }
        return .same("a signature of each verifies under the source's public key (\(mechanism.name))")
    }

    private mutating func rsaSignature(
        _ other: ObjectHandle, _ publicKey: RSAVerificationKey
    ) throws(HSMError) -> Verdict? {
        // DigestInfo of SHA-256 (RFC 8017, 9.2 note 1).
        let prefix: [UInt8] = [
            0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04,
            0x20,
        ]
        for mechanism in [MechanismType.rsaPKCS1SHA256, .rsaPKCS1] {
            let verdict = try signatures(
                mechanism, other, length: publicKey.modulus.count,
                of: { message throws(HSMError) in
                    guard mechanism == .rsaPKCS1 else { return message }
                    return prefix + (try Self.compute { () throws(LibCryptoError) in try Digest.sha256(message) })
                },
                verifies: { (signature, message) throws(HSMError) in
                    try Self.compute { () throws(LibCryptoError) in
                        try publicKey.verifyPKCS1(signature, message: message)
                    }
                })
            if let verdict { return verdict }
        }
        return nil
    }

    private mutating func curveSignature(
        _ other: ObjectHandle, _ curve: EllipticCurve, _ point: [UInt8]
    ) throws(HSMError) -> Verdict? {
        guard let signing = SigningCurve(rawValue: curve.name) else { return nil }
        let publicKey = try Self.compute { () throws(LibCryptoError) in
            try VerificationKey(curve: signing, publicKey: point)
        }
        let hashed = curve.isEdwards ? MechanismType.eddsa : .ecdsa
        for mechanism in curve.coordinateLength == 32 && !curve.isEdwards ? [hashed, .ecdsaSHA256] : [hashed] {
            let verdict = try signatures(
                mechanism, other, length: curve.signatureLength,
                of: { message throws(HSMError) in
                    guard mechanism == .ecdsa else { return message }
                    return try Self.compute { () throws(LibCryptoError) in try signing.digest(of: message) }
                },
                verifies: { (signature, message) throws(HSMError) in
                    try Self.compute { () throws(LibCryptoError) in
                        try publicKey.verify(signature, message: message, encoding: .p1363)
                    }
                })
            if let verdict { return verdict }
        }
        return nil
    }

    /// A challenge encrypted here under the public key, decrypted by each.
    private mutating func rsaDecryption(
        _ other: ObjectHandle, _ publicKey: RSAVerificationKey
    ) throws(HSMError) -> Verdict? {
        for padding in RSAPadding.allCases {
            let challenge = SystemRandom.bytes(32)
            let sealed = try Self.compute { () throws(LibCryptoError) in
                try publicKey.encrypt(challenge, padding: padding)
            }
            let opened = try both(padding.mechanism.type.name, other) { (side, key) throws(HSMError) in
                try side.use { session throws(HSMError) in
                    try session.decrypt(padding.mechanism, key: key, sealed)
                }
            }
            guard let opened, opened.source == challenge else { continue }
            guard opened.target == challenge else {
                return .different("the target does not decrypt what the source does")
            }
            return .same("both decrypt a challenge under the source's public key (\(padding.mechanism.type.name))")
        }
        return nil
    }

    /// A throw-away secret encrypted here under the public key, unwrapped by each, and a MAC made with it.
    private mutating func rsaUnwrapping(
        _ other: ObjectHandle, _ publicKey: RSAVerificationKey
    ) throws(HSMError) -> Verdict? {
        for padding in RSAPadding.allCases {
            let secret = SystemRandom.bytes(32)
            let message = Self.challenge()
            let sealed = try Self.compute { () throws(LibCryptoError) in
                try publicKey.encrypt(secret, padding: padding)
            }
            let made = try both(padding.mechanism.type.name, other) { (side, key) throws(HSMError) in
                let unwrapped = try side.makeScratch(Self.macKey) { (session, template) throws(HSMError) in
                    try session.unwrap(sealed, under: key, padding.mechanism, template)
                }
                defer { side.discard(unwrapped) }
                return try side.use { session throws(HSMError) in
                    try session.sign(.sha256HMAC, key: unwrapped, message, length: 32)
                }
            }
            guard let made else { continue }
            let expected = try Self.mac(of: message, under: secret)
            guard made.source == expected else { continue }
            guard made.target == expected else { return .different("the target does not unwrap what the source does") }
            return .same("both unwrap a throw-away key under the source's public key (\(padding.mechanism.type.name))")
        }
        return nil
    }

    /// A key agreed with a pair of ours, and a MAC made with it: equal on both, and equal to ours.
    private mutating func agreement(
        _ other: ObjectHandle, _ curve: EllipticCurve, _ point: [UInt8]
    ) throws(HSMError) -> Verdict? {
        guard let agreeing = AgreementCurve(rawValue: curve.name) else { return nil }
        let ours = try Self.compute { () throws(LibCryptoError) in try AgreementKey.generate(agreeing) }
        let message = Self.challenge()
        let expected = try Self.compute { () throws(LibCryptoError) in
            try HMAC.sha256(key: try ours.agree(with: point), message)
        }
        let made = try both(MechanismType.ecdh1Derive.name, other) { (side, key) throws(HSMError) in
            let agreed = try side.makeScratch(
                Self.macKey + [.number(.valueLength, UInt(curve.coordinateLength))]
            ) { (session, template) throws(HSMError) in
                try session.derive(key, point: ours.publicKey, template)
            }
            defer { side.discard(agreed) }
            return try side.use { session throws(HSMError) in
                try session.sign(.sha256HMAC, key: agreed, message, length: 32)
            }
        }
        guard let made else { return nil }
        guard made.source == expected else {
            return .untold("what the source agrees on is not what goes with its public key")
        }
        guard made.target == expected else { return .different("the two tokens agree on different secrets") }
        return .same("both agree on the same secret with a pair of this program (\(MechanismType.ecdh1Derive.name))")
    }

    /// A secret that is made for a proof: it makes MACs and cannot be read.
    private static let macKey: KeyTemplate = [
        .objectClass(.secretKey), .keyType(.genericSecret), .flag(.private, true), .flag(.sensitive, true),
        .flag(.extractable, false), .flag(.sign, true),
    ]

    private static func mac(of message: [UInt8], under secret: [UInt8]) throws(HSMError) -> [UInt8] {
        do {
            let key = try SecretBytes.make(count: secret.count) { $0.copyBytes(from: secret) }
            return try HMAC.sha256(key: key, message)
        } catch {
            throw HSMError(.overloaded, "A proof by use could not be computed: \(error).")
        }
    }
}

extension RSAPadding {
    var mechanism: Mechanism {
        switch self {
        case .oaepSHA256: .oaep(.sha256)
        case .oaepSHA1: .oaep(.sha1)
        case .pkcs1: .plain(.rsaPKCS1)
        }
    }
}

extension Mechanism {
    /// Its number.
    var type: MechanismType {
        switch self {
        case .plain(let type), .vector(let type, _): type
        case .gcm: .aesGCM
        case .ecdh: .ecdh1Derive
        case .oaep: .rsaOAEP
        }
    }
}

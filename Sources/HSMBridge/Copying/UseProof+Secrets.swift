import LibCrypto
import Token

/// Proofs of secret keys: a value made on both is equal.
extension UseProof {
    mutating func ofSecretKey(_ other: ObjectHandle) throws(HSMError) -> Verdict {
        if key.keyType == .aes { return try ofAESKey(other) }
        guard key.keyType == .genericSecret || key.keyType?.isMAC == true else {
            return .untold("keys of this CKA_KEY_TYPE cannot be compared here")
        }
        return try ofMACKey(other)
    }

    /// Blocks enciphered alike by both prove the value and its length: AES keys of different lengths are different ciphers.
    private mutating func ofAESKey(_ other: ObjectHandle) throws(HSMError) -> Verdict {
        let challenge = SystemRandom.bytes(32)
        let vector = SystemRandom.bytes(16)
        if key.has(.encrypt) {
            for mechanism in [Mechanism.plain(.aesECB), .vector(.aesCBC, vector)] {
                let made = try both(mechanism.type.name, other) { (side, key) throws(HSMError) in
                    try side.use { session throws(HSMError) in
                        try session.encrypt(mechanism, key: key, challenge)
                    }
                }
                if let made { return judge(made, challenge, "encrypt a challenge alike (\(mechanism.type.name))") }
            }
            let iv = SystemRandom.bytes(Mechanism.gcmIVLength)
            let made = try both(MechanismType.aesGCM.name, other) { (side, key) throws(HSMError) in
                try side.use { session throws(HSMError) in
                    try GCM.encrypt(challenge, key: key, iv: iv, associatedData: [], session: session)
                }
            }
            if let made { return judge(made, challenge, "encrypt a challenge alike (CKM_AES_GCM)") }
        }
        if key.has(.decrypt) {
            for mechanism in [Mechanism.plain(.aesECB), .vector(.aesCBC, vector)] {
                let made = try both(mechanism.type.name, other) { (side, key) throws(HSMError) in
                    try side.use { session throws(HSMError) in
                        try session.decrypt(mechanism, key: key, challenge)
                    }
                }
                if let made { return judge(made, challenge, "decrypt a challenge alike (\(mechanism.type.name))") }
            }
        }
        if key.has(.sign) {
            let made = try both(MechanismType.aesCMAC.name, other) { (side, key) throws(HSMError) in
                try side.use { session throws(HSMError) in
                    try session.sign(.aesCMAC, key: key, challenge, length: 16)
                }
            }
            if let made { return judge(made, challenge, "make the same MAC (CKM_AES_CMAC)") }
        }
        if key.has(.wrap), let verdict = try wrapping(other) { return verdict }
        return nothingTold
    }

    /// A throw-away key that is public here and on both tokens, wrapped by each.
    private mutating func wrapping(_ other: ObjectHandle) throws(HSMError) -> Verdict? {
        let value = SystemRandom.bytes(32)
        for mechanism in [MechanismType.aesKeyWrapKWP, .aesKeyWrapPad, .aesKeyWrap] {
            let made = try both(mechanism.name, other) { (side, key) throws(HSMError) in
                let thrown = try side.makeScratch([
                    .objectClass(.secretKey), .keyType(.genericSecret), .flag(.private, true), .flag(.sensitive, false),
                    .flag(.extractable, true), .bytes(.value, value),
                ]) { (session, template) throws(HSMError) in
                    try session.create(template)
                }
                defer { side.discard(thrown) }
                return try side.use { session throws(HSMError) in
                    try session.wrap(thrown, under: key, mechanism)
                }
            }
            if let made { return judge(made, value, "wrap a throw-away key alike (\(mechanism.name))") }
        }
        return nil
    }

    /// A MAC does not tell a key from the same one with zeros at its end (RFC 2104 fills keys up with zeros), and modules
    /// that wrap fill up with zeros too, so the length is proved beside it.
    private mutating func ofMACKey(_ other: ObjectHandle) throws(HSMError) -> Verdict {
        let challenge = Self.challenge()
        var told: [String] = []
        if key.has(.sign) {
            let ways: [(MechanismType, Int)] = [
                (.sha256HMAC, 32), (.sha1HMAC, 20), (.sha384HMAC, 48), (.sha512HMAC, 64),
            ]
            for (mechanism, length) in ways where told.isEmpty {
                let made = try both(mechanism.name, other) { (side, key) throws(HSMError) in
                    try side.use { session throws(HSMError) in
                        try session.sign(mechanism, key: key, challenge, length: length)
                    }
                }
                guard let made else { continue }
                guard made.source == made.target else { return .different("the two tokens make different MACs") }
                told.append("make the same MAC (\(mechanism.name))")
            }
        }
        let digests = try both("C_DigestKey", other) { (side, key) throws(HSMError) in
            try side.use { session throws(HSMError) in try session.digest(challenge, key: key) }
        }
        if let digests {
            guard digests.source == digests.target else {
                return .different("the two tokens make different digests of the key: it was cut or is longer")
            }
            told.append("make the same digest of it (C_DigestKey)")
            return .same("both " + told.joined(separator: " and "))
        }
        guard !told.isEmpty else { return nothingTold }
        let length = try target.use { session throws(HSMError) in
            try session.number(.valueLength, of: other)
        }
        guard let was = key.valueLength, let length, length > 0 else {
            return .untold("both \(told[0]), which a key with zeros at its end does too, and its length is not told")
        }
        guard was == length else { return .different("it has \(length) bytes on the target and \(was) on the source") }
        return .same("both \(told[0]), and it is \(was) bytes long on both")
    }

    /// Equal, and not the challenge itself: a token that does nothing does it alike.
    private func judge(
        _ made: (source: [UInt8], target: [UInt8]), _ challenge: [UInt8], _ words: String
    ) -> Verdict {
        guard made.source == made.target else { return .different("the two tokens do not \(words)") }
        guard made.source.count >= 16, !made.source.starts(with: challenge.prefix(16)) else {
            return .untold("what the source makes of a challenge is the challenge itself")
        }
        return .same("both \(words)")
    }
}

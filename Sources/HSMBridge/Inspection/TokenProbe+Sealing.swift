import Token

/// Probes of sealing and message authentication.
extension TokenProbe {
    mutating func gcm() throws(HSMError) -> Double? {
        let usage: [Attribute] = [.flag(.encrypt, true), .flag(.decrypt, true), .flag(.extractable, false)]
        let known = try importKey(
            Self.secret(.aes, [.aesGCM], [.bytes(.value, [UInt8](repeating: 0, count: 32))] + usage))
        let key: ObjectHandle
        if let known { key = known } else { key = try generateAES([.aesGCM], usage) }
        let iv = [UInt8](repeating: 0, count: 12)
        let plain = [UInt8](repeating: 0, count: 16)
        var sealed = [UInt8](repeating: 0, count: 32)
        try Self.encrypt(session, key, iv, plain, &sealed)
        guard known == nil || sealed == ProbeVectors.gcmCiphertext else {
            throw Self.wrong("AES-256-GCM gives a wrong ciphertext.")
        }
        guard try opens(sealed, key, iv) else { throw Self.wrong("AES-256-GCM does not open what it sealed.") }
        var altered = sealed
        altered[31] ^= 1
        let fresh = try reopen()
        try Self.refused("AES-256-GCM opens an altered ciphertext.") { () throws(HSMError) in
            _ = try Self.decrypt(fresh, key, iv, altered)
        }
        let long = [UInt8](repeating: 7, count: 32)
        var output = [UInt8](repeating: 0, count: 48)
        var counter: UInt32 = 0
        let session = try reopen()
        return try Self.rate { () throws(HSMError) in
            counter += 1
            let iv = [0, 0, 0, 0, 0, 0, 0, 1] + withUnsafeBytes(of: counter.bigEndian) { Array($0) }
            try Self.encrypt(session, key, iv, long, &output)
        }
    }

    borrowing func opens(_ sealed: [UInt8], _ key: ObjectHandle, _ iv: [UInt8]) throws(HSMError) -> Bool {
        try Self.decrypt(session, key, iv, sealed) == [UInt8](repeating: 0, count: sealed.count - 16)
    }

    static func encrypt(
        _ session: borrowing Session, _ key: ObjectHandle, _ iv: [UInt8], _ plain: [UInt8], _ output: inout [UInt8]
    ) throws(HSMError) {
        var failure: HSMError?
        plain.withUnsafeBytes { plain in
            output.withUnsafeMutableBytes { output in
                do throws(HSMError) {
                    try session.encryptGCM(key: key, iv: iv, associatedData: [], plain, into: output)
                } catch {
                    failure = error
                }
            }
        }
        if let failure { throw failure }
    }

    static func decrypt(
        _ session: borrowing Session, _ key: ObjectHandle, _ iv: [UInt8], _ sealed: [UInt8]
    ) throws(HSMError) -> [UInt8] {
        var output = [UInt8](repeating: 0, count: sealed.count)
        var outcome: Result<Int, HSMError> = .success(0)
        sealed.withUnsafeBytes { sealed in
            output.withUnsafeMutableBytes { output in
                do throws(HSMError) {
                    outcome = .success(
                        try session.decryptGCM(key: key, iv: iv, associatedData: [], sealed, into: output))
                } catch {
                    outcome = .failure(error)
                }
            }
        }
        return Array(output.prefix(try outcome.get()))
    }

    mutating func hmac() throws(HSMError) -> Double? {
        let usage: [Attribute] = [.flag(.sign, true), .flag(.extractable, false)]
        let known = try importKey(
            Self.secret(.genericSecret, [.sha256HMAC], [.bytes(.value, [UInt8](repeating: 0xAA, count: 131))] + usage))
        if let known {
            let tag = try session.sign(.sha256HMAC, key: known, ProbeVectors.hmacData, length: 32)
            guard tag == ProbeVectors.hmacTag else { throw Self.wrong("HMAC-SHA-256 gives a wrong tag.") }
            return nil
        }
        let template = Self.secret(.genericSecret, [.sha256HMAC], [.number(.valueLength, 32)] + usage)
        let key = try make(template, isStrict: false) { (session, template) throws(HSMError) in
            try session.generateKey(.genericSecretKeyGeneration, template)
        }
        let tag = try session.sign(.sha256HMAC, key: key, ProbeVectors.hmacData, length: 32)
        let again = try session.sign(.sha256HMAC, key: key, ProbeVectors.hmacData, length: 32)
        let other = try session.sign(.sha256HMAC, key: key, ProbeVectors.hmacData.reversed(), length: 32)
        guard tag == again, tag != other else { throw Self.wrong("HMAC-SHA-256 is not a function of its input.") }
        return nil
    }

    /// Brings a key of known value into the token.
    ///
    /// - Returns: nil if the token takes no keys in the clear, as many modules in FIPS mode do; then only
    ///   self-consistency can be tested, and ``remark`` says so.
    private mutating func importKey(_ template: KeyTemplate) throws(HSMError) -> ObjectHandle? {
        do throws(HSMError) {
            let key = try session.create(template)
            created.append(key)
            return key
        } catch {
            guard !error.isLostSession else { throw error }
            let reason = error.cause.map { "\($0)" } ?? error.message
            remark = "no known answer, only self-consistency: the token imports no key (\(reason))"
            return nil
        }
    }
}

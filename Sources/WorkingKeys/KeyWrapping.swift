import Encodings
public import LibCrypto
public import SecretMemory

/// Wraps content keys for recipients that hold a key agreement key (keystore API: wrap, unwrap).
///
/// - Source: RFC 7518 §4.6 (ECDH-ES); draft-madden-jose-ecdh-1pu-04 (ECDH-1PU); NIST SP 800-56C, RFC 3394.
/// - Concurrency: any thread; intermediate secrets are in locked memory and live for the call.
public enum KeyWrapping {
    /// Wraps as ``wrap(_:for:apu:apv:xc20p:ephemeral:)`` with what the caller decided.
    public static func wrap(
        _ cek: borrowing SecretBytes, for recipient: AgreementPublicKey, apu: [UInt8], apv: [UInt8],
        options: WrapOptions
    ) throws(WorkingKeyError) -> WrappedKey {
        try wrap(
            cek, for: recipient, apu: apu, apv: apv, xc20p: options.usesXChaCha, ephemeral: options.ephemeral)
    }

    /// Wraps as ``wrap(_:from:for:apu:apv:tag:xc20p:ephemeral:)`` with what the caller decided.
    public static func wrap(
        _ cek: borrowing SecretBytes, from sender: WorkingKey, for recipient: AgreementPublicKey, apu: [UInt8],
        apv: [UInt8], tag: [UInt8], options: WrapOptions
    ) throws(WorkingKeyError) -> WrappedKey {
        try wrap(
            cek, from: sender, for: recipient, apu: apu, apv: apv, tag: tag, xc20p: options.usesXChaCha,
            ephemeral: options.ephemeral)
    }

    /// Wraps a content key for a recipient, who does not learn by whom: ECDH-ES+A256KW.
    ///
    /// - Parameters:
    ///   - cek: A multiple of 8 bytes, 16 at least; any 16 or more with `xc20p`.
    ///   - apu: Empty for the default: the characters of the ephemeral x in unpadded base64url.
    ///   - xc20p: Seals with XChaCha20-Poly1305 (ECDH-ES+XC20PKW).
    ///   - ephemeral: A key to use instead of a fresh one, for senders that fixed it beforehand; never used twice.
    /// - Throws: `.invalidArgument` for a content key of a wrong length or a public key that is not on its curve.
    public static func wrap(
        _ cek: borrowing SecretBytes, for recipient: AgreementPublicKey, apu: [UInt8], apv: [UInt8],
        xc20p: Bool = false, ephemeral: AgreementKey? = nil
    ) throws(WorkingKeyError) -> WrappedKey {
        let algorithm: KeyWrapAlgorithm = xc20p ? .anonymousXC20PKW : .anonymousA256KW
        return try wrap(
            cek, algorithm, recipient: recipient, apu: apu, apv: apv, tag: [],
            ephemeral: try self.ephemeral(ephemeral, on: recipient.curve), agreed: nil)
    }

    /// Wraps a content key so that the recipient knows the sender: ECDH-1PU+A128KW, A192KW or A256KW for a content key of
    /// 32, 48 or 64 bytes.
    ///
    /// - Parameters:
    ///   - sender: A key on the recipient's curve; its primary version is used.
    ///   - tag: The authentication tag of the content; may be empty.
    /// - Throws: `.invalidArgument` for another length of content key, different curves, or a point off its curve;
    ///   `.unsupportedOperation` for a sender that is not a key agreement key.
    public static func wrap(
        _ cek: borrowing SecretBytes, from sender: WorkingKey, for recipient: AgreementPublicKey, apu: [UInt8],
        apv: [UInt8], tag: [UInt8], xc20p: Bool = false, ephemeral: AgreementKey? = nil
    ) throws(WorkingKeyError) -> WrappedKey {
        guard let key = sender.agreementKeys.first else { throw .unsupported(.wrap, sender.type) }
        let algorithm = try authenticated(contentKeyLength: cek.count, xc20p: xc20p)
        let fresh = try self.ephemeral(ephemeral, on: recipient.curve)
        return try wrap(
            cek, algorithm, recipient: recipient, apu: apu, apv: apv, tag: tag, ephemeral: fresh,
            agreed: try agree(key, recipient))
    }

    /// Unwraps a content key with whichever version of the recipient's key fits.
    ///
    /// - Parameters:
    ///   - sender: The sender's public key; needed by the ECDH-1PU algorithms and ignored by the others.
    ///   - tag: The authentication tag of the content; counts only with a sender.
    /// - Throws: `.decryptionFailed` if no version unwraps it; `.invalidArgument` for an unknown algorithm, a missing
    ///   sender, another curve than the key's, or a point off its curve; `.unsupportedOperation` for a key that is not a key
    ///   agreement key.
    public static func unwrap(
        _ wrapped: WrappedKey, with recipient: WorkingKey, sender: AgreementPublicKey?, tag: [UInt8]
    ) throws(WorkingKeyError) -> SecretBytes {
        let keys = recipient.agreementKeys
        guard !keys.isEmpty else { throw .unsupported(.unwrap, recipient.type) }
        let unwrapping = try KeyUnwrapping(wrapped, on: keys[0].curve, sender: sender, tag: tag)
        for key in keys {
            var agreed: [SharedSecret] = []
            for peer in unwrapping.peers { agreed.append(try agree(key, peer)) }
            if let contentKey = try unwrapping.open(agreed) { return contentKey }
        }
        throw .decryptionFailed
    }

    static func authenticated(
        contentKeyLength count: Int, xc20p: Bool
    ) throws(WorkingKeyError) -> KeyWrapAlgorithm {
        guard let algorithm = xc20p ? .authenticatedXC20PKW : KeyWrapAlgorithm(authenticatedKeyLength: count) else {
            throw WorkingKeyError(.invalidArgument, "A content key to wrap must have 32, 48 or 64 bytes.")
        }
        return algorithm
    }

    static func ephemeral(_ given: AgreementKey?, on curve: AgreementCurve) throws(WorkingKeyError) -> AgreementKey {
        if let given { return given }
        return try WorkingKeyError.translating { () throws(LibCryptoError) in try AgreementKey.generate(curve) }
    }

    /// - Parameter agreed: What the sender's static key and the recipient's agree on; nil for an anonymous sender.
    static func wrap(
        _ cek: borrowing SecretBytes, _ algorithm: KeyWrapAlgorithm, recipient: AgreementPublicKey, apu: [UInt8],
        apv: [UInt8], tag: [UInt8], ephemeral: AgreementKey, agreed: SharedSecret?
    ) throws(WorkingKeyError) -> WrappedKey {
        let epk = try AgreementPublicKey(curve: ephemeral.curve, raw: ephemeral.publicKey)
        let party = apu.isEmpty ? Array(Base64.encode(epk.x, .url).utf8) : apu
        let info = algorithm.otherInfo(apu: party, apv: apv, tag: tag)
        // Ephemeral first, then static.
        let common = try joined([try agree(ephemeral, recipient)] + (agreed.map { [$0] } ?? []))
        do throws(LibCryptoError) {
            let wrappingKey = try ConcatKDF.sha256(
                secret: common, otherInfo: info, count: algorithm.wrappingKeyLength)
            return WrappedKey(
                keyID: recipient.keyID, encryptedCEK: try seal(cek, under: wrappingKey, algorithm), ephemeral: epk,
                algorithm: algorithm.rawValue, apu: party, apv: apv)
        } catch {
            throw WorkingKeyError(error)
        }
    }

    /// Agreed secrets as one.
    static func joined(_ secrets: [SharedSecret]) throws(WorkingKeyError) -> SecretBytes {
        do {
            return try SecretBytes.make(count: secrets.reduce(0) { $0 + $1.count }) { output in
                var start = 0
                for secret in secrets {
                    secret.withUnsafeBytes { bytes in
                        UnsafeMutableRawBufferPointer(rebasing: output[start...]).copyMemory(from: bytes)
                    }
                    start += secret.count
                }
            }
        } catch {
            throw WorkingKeyError(.capacityExceeded, "\(error)")
        }
    }

    private static func agree(
        _ key: AgreementKey, _ peer: AgreementPublicKey
    ) throws(WorkingKeyError) -> SharedSecret {
        guard key.curve == peer.curve else {
            throw WorkingKeyError(
                .invalidArgument,
                "The public key is on \(peer.curve.rawValue), but the private key is on \(key.curve.rawValue).")
        }
        return try agree(key, peer.raw)
    }

    private static func agree(_ key: AgreementKey, _ peer: [UInt8]) throws(WorkingKeyError) -> SharedSecret {
        SharedSecret(
            try WorkingKeyError.translating { () throws(LibCryptoError) in try key.agree(with: peer) })
    }

    private static func seal(
        _ cek: borrowing SecretBytes, under key: borrowing SecretBytes, _ algorithm: KeyWrapAlgorithm
    ) throws(LibCryptoError) -> [UInt8] {
        guard algorithm.usesXChaCha else { return try AESKeyWrap.wrap(cek, under: key) }
        let nonce = try Random.bytes(AEADAlgorithm.xChaCha20Poly1305.nonceLength)
        return nonce
            + (try AEAD.sealSecret(
                cek, key: key, nonce: nonce, associatedData: [], algorithm: .xChaCha20Poly1305))
    }

    static func open(
        _ wrapped: [UInt8], under key: borrowing SecretBytes, _ algorithm: KeyWrapAlgorithm
    ) throws(LibCryptoError) -> SecretBytes {
        guard algorithm.usesXChaCha else { return try AESKeyWrap.unwrap(wrapped, under: key) }
        let length = AEADAlgorithm.xChaCha20Poly1305.nonceLength
        guard wrapped.count > length else {
            throw LibCryptoError(.authenticationFailed, "The wrapped key does not unwrap.")
        }
        return try AEAD.openSecret(
            Array(wrapped[length...]), key: key, nonce: Array(wrapped[..<length]), associatedData: [],
            algorithm: .xChaCha20Poly1305)
    }
}

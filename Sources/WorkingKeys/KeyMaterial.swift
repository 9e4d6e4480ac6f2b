import LibCrypto
public import SecretMemory

/// One version of a working key: its type, its output prefix and its secret.
///
/// A private key is held as the library's key object, a symmetric key as bytes; both lie in locked memory and are wiped with
/// the last copy of this value, since copies share one secret.
///
/// - Concurrency: a value without changing parts; any thread.
public struct KeyMaterial: Sendable {
    enum Secret: Sendable {
        case symmetric(SharedSecret)
        case signing(SigningKey)
        case agreement(AgreementKey)
        case multiMessage(BBSKey)

        var rawPublicKey: [UInt8]? {
            switch self {
            case .symmetric: nil
            case .signing(let key): key.publicKey
            case .agreement(let key): key.publicKey
            case .multiMessage(let key): key.publicKey
            }
        }
    }

    public let type: KeyType
    /// The id in the version's output prefix; nil for a version whose outputs have none.
    public let prefixID: UInt32?
    /// The bytes of the `public_key` member, before base64; nil for a symmetric key.
    ///
    /// The JSON of a key agreement key names the key by its thumbprint, which is the identifier it is created under.
    public let publicKey: [UInt8]?
    let secret: Secret

    private init(type: KeyType, prefixID: UInt32?, secret: Secret) throws(WorkingKeyError) {
        self.type = type
        self.prefixID = prefixID
        self.secret = secret
        publicKey = try secret.rawPublicKey.map { raw throws(WorkingKeyError) in
            try PublicKeyEncoding.export(raw, type: type)
        }
    }

    /// Makes a version from the kernel's generator, with a random prefix id if the type has one.
    ///
    /// - Throws: `.capacityExceeded`, `.internalFailure`.
    public static func generate(_ type: KeyType) throws(WorkingKeyError) -> KeyMaterial {
        let prefixID = type.hasOutputPrefix ? try OutputPrefix.randomID() : nil
        let secret: Secret
        if let curve = type.signingCurve {
            secret = .signing(
                try WorkingKeyError.translating { () throws(LibCryptoError) in try SigningKey.generate(curve) })
        } else if let curve = type.agreementCurve {
            secret = .agreement(
                try WorkingKeyError.translating { () throws(LibCryptoError) in try AgreementKey.generate(curve) })
        } else if type == .bls12381G2 {
            secret = .multiMessage(try BBSKey.generate())
        } else {
            do throws(SecretMemoryError) {
                secret = .symmetric(SharedSecret(try SecretBytes.random(count: type.secretLength)))
            } catch {
                throw WorkingKeyError(.capacityExceeded, error.description)
            }
        }
        return try KeyMaterial(type: type, prefixID: prefixID, secret: secret)
    }

    /// Reads a foreign private key. Imported versions have no output prefix.
    ///
    /// - Parameter pkcs8: DER (RFC 5958; RFC 8410 or RFC 5915 inside); see `SigningKey.importing(pkcs8:)` for what is
    ///   refused.
    /// - Throws: `.invalidArgument` naming what was found, such as another curve than the type's;
    ///   `.unsupportedOperation` for a type that is not importable.
    public static func importing(
        pkcs8: borrowing SecretBytes, as type: KeyType
    ) throws(WorkingKeyError) -> KeyMaterial {
        guard type.isImportable, let curve = type.signingCurve else {
            throw WorkingKeyError(.unsupportedOperation, "A key of type \(type.rawValue) cannot be imported.")
        }
        let key: SigningKey
        do throws(LibCryptoError) {
            key = try SigningKey.importing(pkcs8: pkcs8)
        } catch {
            throw WorkingKeyError(error)
        }
        guard key.curve == curve else {
            throw WorkingKeyError(
                .invalidArgument,
                "The PKCS#8 key is on \(key.curve.rawValue), but \(type.rawValue) needs \(curve.rawValue).")
        }
        return try KeyMaterial(type: type, prefixID: nil, secret: .signing(key))
    }

    /// Takes the raw secret of a key made elsewhere, such as one of another key store.
    ///
    /// - Parameter secret: Exactly `type.secretLength` bytes: a symmetric key, an Ed25519 seed, or a scalar, big-endian.
    /// - Throws: `.invalidArgument` for a wrong length or a scalar out of range; `.capacityExceeded`.
    public init(type: KeyType, prefixID: UInt32?, secret: borrowing SecretBytes) throws(WorkingKeyError) {
        guard secret.count == type.secretLength else {
            throw WorkingKeyError(
                .invalidArgument, "A \(type.rawValue) secret must have \(type.secretLength) bytes.")
        }
        let held: Secret
        do {
            if let curve = type.signingCurve {
                held = .signing(try SigningKey(curve: curve, privateKey: secret))
            } else if let curve = type.agreementCurve {
                held = .agreement(try AgreementKey(curve: curve, privateKey: secret))
            } else if type == .bls12381G2 {
                held = .multiMessage(try BBSKey(secret))
            } else {
                held = .symmetric(SharedSecret(try secret.copy()))
            }
        } catch let error as LibCryptoError {
            throw WorkingKeyError(error)
        } catch let error as WorkingKeyError {
            throw error
        } catch {
            throw WorkingKeyError(.capacityExceeded, "\(error)")
        }
        try self.init(type: type, prefixID: prefixID, secret: held)
    }

    /// The raw public key: 32 bytes for Ed25519 and X25519, the compressed point of 96 for BLS12-381, else
    /// 0x04 ‖ X ‖ Y; nil for a symmetric key.
    public var rawPublicKey: [UInt8]? { secret.rawPublicKey }

    /// The key's identifier, 43 characters; nil for a symmetric key.
    public var thumbprint: String? {
        get throws(WorkingKeyError) {
            guard let raw = rawPublicKey else { return nil }
            return try PublicKeyEncoding.thumbprint(raw, type: type)
        }
    }
}

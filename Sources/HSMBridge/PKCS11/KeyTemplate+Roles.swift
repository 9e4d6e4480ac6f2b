import Token

/// The templates of the daemon's own keys. Every one is a private, sensitive token object that can never be extracted
/// or modified, is good for one purpose, and refuses every mechanism but its own.
extension KeyTemplate {
    /// What every secret or private key of a role has in common.
    ///
    /// CKA_PRIVATE is not decoration: a soft token keeps a public secret key in clear text on its disk.
    private static func guarded(id: [UInt8], label: String) -> [Attribute] {
        [
            .flag(.token, true), .flag(.private, true), .flag(.sensitive, true), .flag(.extractable, false),
            .flag(.modifiable, false), .bytes(.id, id), .label(label),
        ]
    }

    /// A role's AES key, for C_GenerateKey.
    static func secretKey(_ kind: KeyKind, id: [UInt8], label: String) -> KeyTemplate {
        let common =
            guarded(id: id, label: label) + [
                .objectClass(.secretKey), .keyType(.aes), .number(.valueLength, 32),
                .flag(.sign, false), .flag(.verify, false), .flag(.derive, false),
            ]
        switch kind {
        case .aes256Seal:
            return KeyTemplate(
                common + [
                    .flag(.encrypt, true), .flag(.decrypt, true), .flag(.wrap, false), .flag(.unwrap, false),
                    .allowedMechanisms([.aesGCM]),
                ])
        case .aes256Wrap:
            // The unwrap template keeps the key from producing a readable key (PKCS #11 2.40 section 4.9).
            return KeyTemplate(
                common + [
                    .flag(.encrypt, false), .flag(.decrypt, false), .flag(.wrap, true), .flag(.unwrap, true),
                    .allowedMechanisms([.aesKeyWrapPad]), .template(.unwrapTemplate, residentGuard),
                ])
        case .ecP256, .ecSecp256k1, .ecdhSeal, .rsaSealSHA256, .rsaSealSHA1:
            preconditionFailure("this kind is a key pair, not a secret key")
        }
    }

    /// The private half of a pair that seals, for C_GenerateKeyPair: it agrees, or decrypts, and does nothing else.
    static func sealingPrivateKey(_ kind: KeyKind, id: [UInt8], label: String) -> KeyTemplate {
        let isAgreement = kind == .ecdhSeal
        return KeyTemplate(
            guarded(id: id, label: label) + [
                .flag(.sign, false), .flag(.unwrap, false), .flag(.derive, isAgreement),
                .flag(.decrypt, !isAgreement), .allowedMechanisms([isAgreement ? .ecdh1Derive : .rsaOAEP]),
            ])
    }

    /// Its public half: a session object, since the manifest keeps what matters of it.
    static func sealingPublicKey(_ kind: KeyKind) -> KeyTemplate {
        kind == .ecdhSeal
            ? [.flag(.token, false), .flag(.private, false), .bytes(.ecParameters, EllipticCurve.p256.parameters)]
            : [
                .flag(.token, false), .flag(.private, false), .flag(.encrypt, true), .flag(.wrap, false),
                .flag(.verify, false), .number(.modulusBits, SealingHalf.rsaBits),
                .bytes(.publicExponent, SealingHalf.rsaExponent),
            ]
    }

    /// The private half of a role's pair, for C_GenerateKeyPair.
    static func signingPrivateKey(id: [UInt8], label: String) -> KeyTemplate {
        KeyTemplate(
            guarded(id: id, label: label) + [
                .flag(.sign, true), .flag(.decrypt, false), .flag(.unwrap, false), .flag(.derive, false),
                .allowedMechanisms([.ecdsa]),
            ])
    }

    /// The public half of a role's pair: a session object, because the manifest keeps what matters of it, and because a
    /// public object on the token is an offer to every program that lists one (`ssh-add` takes the audit key for a login
    /// key, and its agent does not survive a secp256k1 key).
    static func signingPublicKey(_ curve: EllipticCurve) -> KeyTemplate {
        [
            .flag(.token, false), .flag(.private, false), .flag(.verify, true), .flag(.encrypt, false),
            .flag(.wrap, false), .bytes(.ecParameters, curve.parameters),
        ]
    }

    /// A data object that only who is logged in can read.
    static func keptValue(_ value: [UInt8], label: String) -> KeyTemplate {
        [
            .objectClass(.data), .flag(.token, true), .flag(.private, true), .flag(.modifiable, false), .label(label),
            .bytes(.value, value),
        ]
    }

    /// What a key unwrapped under the resident wrapping key must promise. SoftHSM compares the caller's template with
    /// these attributes instead of adding them, so callers repeat them.
    static let residentGuard: [Attribute] = [.flag(.sensitive, true), .flag(.extractable, false)]

    /// The attributes that single out one object of a role; usable as a search template. Secret and private keys are looked
    /// for among private objects only: on many tokens whoever reaches the module makes public ones of any name, without a
    /// PIN, and a second key of a role's name would stop the daemon.
    static func search(_ objectClass: ObjectClass, id: [UInt8], label: String) -> KeyTemplate {
        let common: [Attribute] = [.objectClass(objectClass), .flag(.token, true), .bytes(.id, id), .label(label)]
        return KeyTemplate(objectClass == .publicKey ? common : common + [.flag(.private, true)])
    }

    /// A session copy of a token key: same policy, shorter life, no file access on use.
    static let sessionCopy: KeyTemplate = [.flag(.token, false)]
}

// Source: keystore API section 6; names of the first generation: section 14.

enum WrapBody: Int, BodyMember {
    case contentKey, recipient, apu, apv, tag, ephemeral, usesXChaCha

    var name: StaticString {
        switch self {
        case .contentKey: "cek"
        case .recipient: "recipient_pub_key"
        case .apu: "apu"
        case .apv: "apv"
        case .tag: "tag"
        case .ephemeral: "epk_private"
        case .usesXChaCha: "use_xc20pkw"
        }
    }
    static let names = allNames
}

enum LegacyWrapBody: Int, BodyMember {
    case contentKey, recipient, apu, apv

    var name: StaticString {
        switch self {
        case .contentKey: "cek"
        case .recipient: "recpubkey"
        case .apu: "apu"
        case .apv: "apv"
        }
    }
    static let names = allNames
}

enum UnwrapBody: Int, BodyMember {
    case wrapped, sender, tag

    var name: StaticString {
        switch self {
        case .wrapped: "wrapped_key"
        case .sender: "sender_pub_key"
        case .tag: "tag"
        }
    }
    static let names = allNames
}

enum LegacyUnwrapBody: Int, BodyMember {
    case wrapped

    var name: StaticString { "wrappedkey" }
    static let names = allNames
}

enum WrappedKeyBody: Int, BodyMember {
    case keyID, encryptedCEK, ephemeral, algorithm, apu, apv

    var name: StaticString {
        switch self {
        case .keyID: "kid"
        case .encryptedCEK: "encryptedcek"
        case .ephemeral: "epk"
        case .algorithm: "alg"
        case .apu: "apu"
        case .apv: "apv"
        }
    }
    static let names = allNames
}

enum PublicKeyBody: Int, BodyMember {
    case keyID, x, y, curve, type

    var name: StaticString {
        switch self {
        case .keyID: "kid"
        case .x: "x"
        case .y: "y"
        case .curve: "curve"
        case .type: "type"
        }
    }
    static let names = allNames
}

/// An extension: the ephemeral key that the caller has fixed beforehand.
enum EphemeralKeyBody: Int, BodyMember {
    case publicKey, secret

    var name: StaticString {
        switch self {
        case .publicKey: "pubkey"
        case .secret: "d"
        }
    }
    static let names = allNames
}

enum EasyBody: Int, BodyMember {
    case payload, nonce, peer

    var name: StaticString {
        switch self {
        case .payload: "payload"
        case .nonce: "nonce"
        case .peer: "their_pub"
        }
    }
    var firstName: StaticString {
        switch self {
        case .peer: "theirpub"
        default: name
        }
    }
    static let names = allNames
    static let firstNames = allFirstNames
}

enum EasyOpenBody: Int, BodyMember {
    case box, nonce, peer, own

    var name: StaticString {
        switch self {
        case .box: "ciphertext"
        case .nonce: "nonce"
        case .peer: "their_pub"
        case .own: "my_pub"
        }
    }
    var firstName: StaticString {
        switch self {
        case .peer: "theirpub"
        case .own: "mypub"
        default: name
        }
    }
    static let names = allNames
    static let firstNames = allFirstNames
}

enum SealOpenBody: Int, BodyMember {
    case box, own

    var name: StaticString {
        switch self {
        case .box: "ciphertext"
        case .own: "my_pub"
        }
    }
    var firstName: StaticString {
        switch self {
        case .own: "mypub"
        default: name
        }
    }
    static let names = allNames
    static let firstNames = allFirstNames
}

// Source: keystore API sections 4 and 7; names of the first generation: section 14.

enum SignBody: Int, BodyMember {
    case message

    var name: StaticString { "message" }
    static let names = allNames
}

enum VerifyBody: Int, BodyMember {
    case signature, message

    var name: StaticString {
        switch self {
        case .signature: "signature"
        case .message: "message"
        }
    }
    static let names = allNames
}

enum ComputeMACBody: Int, BodyMember {
    case data

    var name: StaticString { "data" }
    static let names = allNames
}

enum VerifyMACBody: Int, BodyMember {
    case mac, data

    var name: StaticString {
        switch self {
        case .mac: "mac"
        case .data: "data"
        }
    }
    static let names = allNames
}

enum EncryptBody: Int, BodyMember {
    case message, associatedData

    var name: StaticString {
        switch self {
        case .message: "message"
        case .associatedData: "associated_data"
        }
    }
    var firstName: StaticString {
        switch self {
        case .associatedData: "aad"
        default: name
        }
    }
    static let names = allNames
    static let firstNames = allFirstNames
}

enum DecryptBody: Int, BodyMember {
    case ciphertext, associatedData, nonce

    var name: StaticString {
        switch self {
        case .ciphertext: "ciphertext"
        case .associatedData: "associated_data"
        case .nonce: "nonce"
        }
    }
    var firstName: StaticString {
        switch self {
        case .associatedData: "aad"
        default: name
        }
    }
    static let names = allNames
    static let firstNames = allFirstNames
}

enum SignMultiBody: Int, BodyMember {
    case messages

    var name: StaticString { "messages" }
    static let names = allNames
}

enum VerifyMultiBody: Int, BodyMember {
    case signature, messages

    var name: StaticString {
        switch self {
        case .signature: "signature"
        case .messages: "messages"
        }
    }
    static let names = allNames
}

enum DeriveProofBody: Int, BodyMember {
    case signature, messages, revealed, nonce

    var name: StaticString {
        switch self {
        case .signature: "signature"
        case .messages: "messages"
        case .revealed: "revealed_indexes"
        case .nonce: "nonce"
        }
    }
    var firstName: StaticString {
        switch self {
        case .revealed: "revealedindexes"
        default: name
        }
    }
    static let names = allNames
    static let firstNames = allFirstNames
}

enum VerifyProofBody: Int, BodyMember {
    case proof, messages, nonce

    var name: StaticString {
        switch self {
        case .proof: "proof"
        case .messages: "messages"
        case .nonce: "nonce"
        }
    }
    static let names = allNames
}

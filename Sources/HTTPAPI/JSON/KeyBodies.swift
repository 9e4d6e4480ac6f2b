// Source: keystore API sections 2 to 5; names of the first generation: section 14.

/// Of a new keystore.
enum CreateKeystoreBody: Int, BodyMember {
    case controller, vault, protection, lock

    var name: StaticString {
        switch self {
        case .controller: "controller"
        case .vault: "edv"
        case .protection: "protection"
        case .lock: "lock"
        }
    }
    static let names = allNames
}

enum VaultBody: Int, BodyMember {
    case url, capability

    var name: StaticString {
        switch self {
        case .url: "vault_url"
        case .capability: "capability"
        }
    }
    static let names = allNames
}

/// Of the first generation, where a vault has an id at a server that the settings name.
enum LegacyKeystoreBody: Int, BodyMember {
    case controller, vault

    var name: StaticString {
        switch self {
        case .controller: "controller"
        case .vault: "vaultid"
        }
    }
    static let names = allNames
}

enum LegacyCapabilityBody: Int, BodyMember {
    case capability

    var name: StaticString { "edvcapability" }
    static let names = allNames
}

/// Of create and rotate.
enum KeyTypeBody: Int, BodyMember {
    case type, attributes

    var name: StaticString {
        switch self {
        case .type: "key_type"
        case .attributes: "attrs"
        }
    }
    static let names = allNames
}

enum LegacyKeyBody: Int, BodyMember {
    case type, exports

    var name: StaticString {
        switch self {
        case .type: "keytype"
        case .exports: "export"
        }
    }
    static let names = allNames
}

enum ImportKeyBody: Int, BodyMember {
    case key, type, id

    var name: StaticString {
        switch self {
        case .key: "key"
        case .type: "key_type"
        case .id: "key_id"
        }
    }
    var firstName: StaticString {
        switch self {
        case .key: "keybytes"
        case .type: "keytype"
        case .id: "keyid"
        }
    }
    static let names = allNames
    static let firstNames = allFirstNames
}

/// Which header of a conflict is right.
enum ChainRulingBody: Int, BodyMember {
    case header

    var name: StaticString { "header" }
    static let names = allNames
}

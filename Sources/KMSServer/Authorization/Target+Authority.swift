import HTTPTypes

/// What a request needs before it is served, where capabilities guard the keystores.
enum Authority: Equatable {
    /// Nothing: health, and routes that answer 405 anyway. Making a keystore is open too, because no capability exists
    /// yet; guard that route in front of the daemon.
    case none
    /// A capability of the keystore for this action.
    case capability(action: String, keystore: String)
    /// No capability names such an action, so nobody may: routes of our own.
    case closed
}

extension Target {
    /// Actions as the root capability lists them.
    func authority(_ method: HTTPRequest.Method) -> Authority {
        switch (self, method) {
        case (.keys(let keystore), .post): .capability(action: "createKey", keystore: keystore)
        case (.keys(let keystore), .put): .capability(action: "importKey", keystore: keystore)
        case (.action(let action, let keystore, _), _):
            action.capabilityAction.map { .capability(action: $0, keystore: keystore) } ?? .closed
        case (.agreement(let agreement, let keystore, _), _):
            .capability(action: agreement.capabilityAction, keystore: keystore)
        case (.keystores, .get), (.keystore, .get), (.keys, .get), (.key, .get), (.key, .delete): .closed
        default: .none
        }
    }
}

extension Target.Action {
    /// The action's name in capabilities; nil for an action of our own.
    var capabilityAction: String? {
        switch self {
        case .export: "exportKey"
        case .rotate: "rotateKey"
        case .sign: "sign"
        case .verify: "verify"
        case .encrypt: "encrypt"
        case .decrypt: "decrypt"
        case .computemac: "computeMAC"
        case .verifymac: "verifyMAC"
        case .disable, .enable, .restore: nil
        }
    }
}

extension Target.Agreement {
    /// The action's name in capabilities.
    var capabilityAction: String {
        switch self {
        case .wrap: "wrap"
        case .unwrap: "unwrap"
        case .easy: "easy"
        case .easyOpen: "easyOpen"
        case .sealOpen: "sealOpen"
        }
    }
}

import HTTPTypes

/// What a request needs before it is served.
enum Authority: Equatable {
    /// Nothing: health, and routes that answer 405 anyway.
    case none
    /// No capability exists yet; the administration guard, if there is one, decides.
    case createKeystore
    /// A route of our own: no capability names such an action, so the administration guard decides.
    case manage
    /// What guards the keystores must allow this action.
    case keystore(action: String, keystore: String)
}

extension Target {
    /// Actions as the root capability lists them.
    func authority(_ method: HTTPRequest.Method) -> Authority {
        switch (self, method) {
        case (.keystores, .post), (.did, .post): .createKeystore
        case (.keys(let keystore), .post): .keystore(action: "createKey", keystore: keystore)
        case (.keys(let keystore), .put): .keystore(action: "importKey", keystore: keystore)
        case (.action(let action, let keystore, _), let method) where method == action.method:
            action.capabilityAction.map { .keystore(action: $0, keystore: keystore) } ?? .manage
        case (.agreement(let agreement, let keystore, _), .post):
            .keystore(action: agreement.capabilityAction, keystore: keystore)
        case (.keystores, .get), (.keystore, .get), (.keys, .get), (.key, .get), (.key, .delete): .manage
        default: .none
        }
    }
}

extension Target {
    /// Whether the original server has the route.
    func isUpstream(_ method: HTTPRequest.Method) -> Bool {
        switch authority(method) {
        case .createKeystore, .keystore:
            if case .action(.attestation, _, _) = self { false } else { true }
        case .manage, .none: false
        }
    }
}

extension Target.Action {
    /// The action's name in capabilities; nil for an action of our own.
    var capabilityAction: String? {
        switch self {
        // Tells what exporting tells, and of what kind the key is; so capabilities that were given out before hold for it.
        case .export, .attestation: "exportKey"
        case .rotate: "rotateKey"
        case .sign: "sign"
        case .verify: "verify"
        case .encrypt: "encrypt"
        case .decrypt: "decrypt"
        case .computemac: "computeMAC"
        case .verifymac: "verifyMAC"
        case .signmulti: "signMulti"
        case .verifymulti: "verifyMulti"
        case .deriveproof: "deriveProof"
        case .verifyproof: "verifyProof"
        case .blind: "blind"
        case .correctnessproof: "correctnessProof"
        case .signwithsecrets: "signWithSecrets"
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

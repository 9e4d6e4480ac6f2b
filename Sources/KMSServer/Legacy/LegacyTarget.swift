import HTTPTypes

/// What a path of the API's first generation names: `/kms/keystores` and what is below it.
///
/// Source: keystore API section 14.
enum LegacyTarget: Equatable, Sendable {
    /// The place of the same name in the present API.
    case same(Target)
    case importKey(keystore: String)
    /// Where the capability of an encrypted data vault was put.
    case vaultCapability(keystore: String)

    private static let actions: [Target.Action] = [
        .export, .sign, .verify, .encrypt, .decrypt, .computemac, .verifymac, .signmulti, .verifymulti, .deriveproof,
        .verifyproof,
    ]

    /// Nil for a path that names nothing there.
    init?(path: Substring) {
        guard path.hasPrefix("/kms/") else { return nil }
        let modern = "/v1" + path.dropFirst(4)
        let segments = modern.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        if segments.count == 5, segments[2] == "keystores", !segments[3].isEmpty {
            switch segments[4] {
            case "import":
                self = .importKey(keystore: segments[3])
                return
            case "capability":
                self = .vaultCapability(keystore: segments[3])
                return
            default: break
            }
        }
        guard let target = Target(path: modern[...]) else { return nil }
        switch target {
        case .keystores, .keys: break
        case .action(let action, _, _) where Self.actions.contains(action): break
        case .agreement(.wrap, _, nil): break
        case .agreement(let action, _, _) where action != .wrap: break
        default: return nil
        }
        self = .same(target)
    }

    /// Whether it is asked for with GET instead of POST.
    var isRead: Bool { if case .same(.action(.export, _, _)) = self { true } else { false } }

    /// What guards it: what guards the same place in the present API.
    var authority: Authority {
        switch self {
        case .same(let target): target.authority(isRead ? .get : .post)
        case .importKey(let keystore): .keystore(action: "importKey", keystore: keystore)
        case .vaultCapability(let keystore): .keystore(action: "updateEDVCapability", keystore: keystore)
        }
    }

    /// What it does, for messages.
    var operation: StaticString {
        switch self {
        case .same(.action(let action, _, _)): action.operation
        case .same(.agreement(let action, _, _)): action.operation
        case .same(.keys): "create key"
        case .same: "create keystore"
        case .importKey: "import key"
        case .vaultCapability: "save capability"
        }
    }
}

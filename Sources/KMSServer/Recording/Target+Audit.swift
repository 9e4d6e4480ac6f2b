import HTTPTypes

/// How the audit chain names a request.
struct AuditedRoute: Equatable {
    /// Of a request that is not recorded.
    static let none = AuditedRoute(operation: "", kind: .look, subject: "")

    enum Kind {
        /// Makes, gives out or ends something.
        case change
        /// Shows what there is.
        case look
        /// Uses a key.
        case use
    }

    var operation: String
    var kind: Kind
    /// Keystore, or keystore and key; empty for all keystores.
    var subject: String
}

extension Target {
    /// Nil for what decides nothing: health, and methods that the route does not have.
    func audited(_ method: HTTPRequest.Method) -> AuditedRoute? {
        switch (self, method) {
        case (.keystores, .post): AuditedRoute(operation: "create-keystore", kind: .change, subject: "")
        case (.keystores, .get): AuditedRoute(operation: "list-keystores", kind: .look, subject: "")
        case (.did, .post): AuditedRoute(operation: "create-did", kind: .change, subject: "")
        case (.keystore(let keystore), .get):
            AuditedRoute(operation: "get-keystore", kind: .look, subject: keystore)
        case (.keys(let keystore), .post): AuditedRoute(operation: "create-key", kind: .change, subject: keystore)
        case (.keys(let keystore), .put): AuditedRoute(operation: "import-key", kind: .change, subject: keystore)
        case (.keys(let keystore), .get): AuditedRoute(operation: "list-keys", kind: .look, subject: keystore)
        case (.key(let keystore, let key), .get):
            AuditedRoute(operation: "get-key", kind: .look, subject: keystore + "/" + key)
        case (.key(let keystore, let key), .delete):
            AuditedRoute(operation: "destroy-key", kind: .change, subject: keystore + "/" + key)
        case (.action(let action, let keystore, let key), let method) where method == action.method:
            AuditedRoute(operation: action.rawValue, kind: action.kind, subject: keystore + "/" + key)
        case (.agreement(let action, let keystore, let key), .post):
            AuditedRoute(
                operation: action.rawValue, kind: .use, subject: key.map { keystore + "/" + $0 } ?? keystore)
        default: nil
        }
    }
}

extension Target.Action {
    fileprivate var kind: AuditedRoute.Kind {
        switch self {
        case .sign, .verify, .encrypt, .decrypt, .computemac, .verifymac, .signmulti, .verifymulti, .deriveproof,
            .verifyproof, .blind, .correctnessproof, .signwithsecrets:
            .use
        case .export, .rotate, .disable, .enable, .restore, .attestation: .change
        }
    }
}

extension LegacyTarget {
    /// As the same place in the present API.
    var audited: AuditedRoute {
        switch self {
        case .same(let target): target.audited(isRead ? .get : .post) ?? .none
        case .importKey(let keystore): AuditedRoute(operation: "import-key", kind: .change, subject: keystore)
        case .vaultCapability(let keystore): AuditedRoute(operation: "set-capability", kind: .change, subject: keystore)
        }
    }
}

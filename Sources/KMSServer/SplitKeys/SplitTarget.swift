/// What a path under `/zvault` or `/zauth` names. Segments are compared as they arrive, as in ``Target``.
enum SplitTarget: Equatable, Sendable {
    /// Routes of the vault (0Chain's ZVault).
    enum Vault: Equatable, Sendable {
        case wallet, store, wallets, sharedWallets, share, restrictions, generate
        case key(String)
        case keys(String)
        case setRestrictions(String)
        case revoke(String)
        case delete(String)
        case generateKey(String)
    }

    /// Routes of the co-signing role (0Chain's ZAuth).
    enum Authority: Equatable, Sendable {
        case setup, signMessage, signTransaction
        /// Between our own two roles only.
        case anchor
        case key(String)
        case restrictions(String)
        case revoke(String)
        case delete(String)
    }

    case vault(Vault)
    case authority(Authority)

    /// Nil for a path of another front or an unknown one; ``isPrefixed(_:)`` tells the two apart.
    init?(path: Substring) {
        let segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
        guard let root = segments.first, segments.count <= 4, segments.allSatisfy({ !$0.isEmpty }) else { return nil }
        let rest = Array(segments.dropFirst())
        switch root {
        case "zvault":
            guard let vault = Self.vault(rest) else { return nil }
            self = .vault(vault)
        case "zauth":
            guard let authority = Self.authority(rest) else { return nil }
            self = .authority(authority)
        default: return nil
        }
    }

    /// Whether a path belongs to this front at all.
    static func isPrefixed(_ path: Substring) -> Bool {
        ["/zvault", "/zauth"].contains { path == $0 || path.hasPrefix($0 + "/") }
    }

    private static func vault(_ segments: [String]) -> Vault? {
        switch (segments.first, segments.count) {
        case ("wallet", 1): .wallet
        case ("store", 1): .store
        case ("wallets", 1): .wallets
        case ("wallets", 2) where segments[1] == "shared": .sharedWallets
        case ("share", 1): .share
        case ("restrictions", 1): .restrictions
        case ("generate", 1): .generate
        case ("key", 2): .key(segments[1])
        case ("keys", 2): .keys(segments[1])
        case ("restrictions", 2): .setRestrictions(segments[1])
        case ("revoke", 2): .revoke(segments[1])
        case ("delete", 2): .delete(segments[1])
        case ("generate", 2): .generateKey(segments[1])
        default: nil
        }
    }

    private static func authority(_ segments: [String]) -> Authority? {
        switch (segments.first, segments.count) {
        case ("setup", 1): .setup
        case ("anchor", 1): .anchor
        case ("sign", 2) where segments[1] == "msg": .signMessage
        case ("sign", 2) where segments[1] == "txn": .signTransaction
        case ("key", 2): .key(segments[1])
        case ("restrictions", 2): .restrictions(segments[1])
        case ("revoke", 2): .revoke(segments[1])
        case ("delete", 2): .delete(segments[1])
        default: nil
        }
    }

    /// The one method of the route.
    var method: String {
        switch self {
        case .vault(.keys), .vault(.wallets), .vault(.sharedWallets), .vault(.restrictions), .authority(.key): "GET"
        case .vault(.setRestrictions), .authority(.restrictions): "PUT"
        default: "POST"
        }
    }

    /// For logs and metrics: the route without identifiers.
    var template: String {
        switch self {
        case .vault(let vault):
            switch vault {
            case .wallet: "/zvault/wallet"
            case .store: "/zvault/store"
            case .wallets: "/zvault/wallets"
            case .sharedWallets: "/zvault/wallets/shared"
            case .share: "/zvault/share"
            case .restrictions: "/zvault/restrictions"
            case .generate: "/zvault/generate"
            case .key: "/zvault/key/{client_id}"
            case .keys: "/zvault/keys/{client_id}"
            case .setRestrictions: "/zvault/restrictions/{client_id}"
            case .revoke: "/zvault/revoke/{client_id}"
            case .delete: "/zvault/delete/{client_id}"
            case .generateKey: "/zvault/generate/{client_id}"
            }
        case .authority(let authority):
            switch authority {
            case .setup: "/zauth/setup"
            case .anchor: "/zauth/anchor"
            case .signMessage: "/zauth/sign/msg"
            case .signTransaction: "/zauth/sign/txn"
            case .key: "/zauth/key/{client_id}"
            case .restrictions: "/zauth/restrictions/{client_id}"
            case .revoke: "/zauth/revoke/{client_id}"
            case .delete: "/zauth/delete/{client_id}"
            }
        }
    }
}

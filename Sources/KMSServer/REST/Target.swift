import HTTPTypes

/// What the path of a request names. Segments are compared as they arrive: nothing is decoded, no slash is forgiven,
/// so a path has one spelling.
enum Target: Equatable, Sendable {
    case keystores
    /// Makes a signing key of the daemon's own. No keystore has that name: their ids have 20 characters.
    case did
    case keystore(String)
    case keys(keystore: String)
    case key(keystore: String, key: String)
    case action(Action, keystore: String, key: String)
    /// An agreement operation with a key, or of the keystore alone.
    case agreement(Agreement, keystore: String, key: String?)
    case healthcheck
    case livez
    case readyz
    case openapi

    /// The last segment behind a key.
    enum Action: String, Sendable, CaseIterable {
        case export, rotate, sign, verify, encrypt, decrypt, computemac, verifymac, disable, enable, restore
        case signmulti, verifymulti, deriveproof, verifyproof
        case blind, correctnessproof, signwithsecrets
        case attestation

        /// The one method it is asked for with.
        var method: HTTPRequest.Method {
            switch self {
            case .export, .correctnessproof, .attestation: .get
            default: .post
            }
        }
    }

    /// The last segment of an agreement operation.
    enum Agreement: String, Sendable, CaseIterable {
        case wrap, unwrap, easy
        case easyOpen = "easyopen"
        case sealOpen = "sealopen"

        /// Whether the path names a key: always, never, or either.
        func fits(key: Bool) -> Bool {
            switch self {
            case .wrap: true
            case .unwrap, .easy: key
            case .easyOpen, .sealOpen: !key
            }
        }
    }

    /// Nil for a path that names nothing.
    init?(path: Substring) {
        let segments = path.utf8.split(
            separator: UInt8(ascii: "/"), maxSplits: 8, omittingEmptySubsequences: false)
        guard segments.count >= 2, segments[0].isEmpty else { return nil }
        func text(_ index: Int) -> String { String(Substring(segments[index])) }
        if segments.count == 2 {
            switch text(1) {
            case "healthcheck": self = .healthcheck
            case "livez": self = .livez
            case "readyz": self = .readyz
            case "openapi.yaml": self = .openapi
            default: return nil
            }
            return
        }
        guard text(1) == "v1", text(2) == "keystores", segments.dropFirst().allSatisfy({ !$0.isEmpty }) else {
            return nil
        }
        switch segments.count {
        case 3: self = .keystores
        case 4: self = text(3) == "did" ? .did : .keystore(text(3))
        case 5 where text(4) == "keys": self = .keys(keystore: text(3))
        case 5:
            guard let agreement = Agreement(rawValue: text(4)), agreement.fits(key: false) else { return nil }
            self = .agreement(agreement, keystore: text(3), key: nil)
        case 6 where text(4) == "keys": self = .key(keystore: text(3), key: text(5))
        case 7 where text(4) == "keys":
            if let agreement = Agreement(rawValue: text(6)), agreement.fits(key: true) {
                self = .agreement(agreement, keystore: text(3), key: text(5))
                return
            }
            guard let action = Action(rawValue: text(6)) else { return nil }
            self = .action(action, keystore: text(3), key: text(5))
        default: return nil
        }
    }

    /// For logs: the route without identifiers.
    var template: StaticString {
        switch self {
        case .keystores: "/v1/keystores"
        case .did: "/v1/keystores/did"
        case .keystore: "/v1/keystores/{keystore}"
        case .keys: "/v1/keystores/{keystore}/keys"
        case .key: "/v1/keystores/{keystore}/keys/{key}"
        case .action: "/v1/keystores/{keystore}/keys/{key}/{action}"
        case .agreement(_, _, nil): "/v1/keystores/{keystore}/{action}"
        case .agreement: "/v1/keystores/{keystore}/keys/{key}/{action}"
        case .healthcheck: "/healthcheck"
        case .livez: "/livez"
        case .readyz: "/readyz"
        case .openapi: "/openapi.yaml"
        }
    }
}

import Encodings

/// Who the token says it is (PKCS #11 CK_TOKEN_INFO), without the padding.
public struct TokenIdentity: Hashable, Sendable, Codable {
    public var label: String
    public var serial: String
    public var manufacturer: String
    public var model: String

    public init(label: String, serial: String, manufacturer: String, model: String) {
        self.label = label
        self.serial = serial
        self.manufacturer = manufacturer
        self.model = model
    }

    /// Byte for byte: two tokens may have labels that differ in the spelling of one letter.
    public static func == (left: TokenIdentity, right: TokenIdentity) -> Bool { left.exact == right.exact }

    public func hash(into hasher: inout Hasher) { hasher.combine(exact) }

    private var exact: [ExactText] { [label, serial, manufacturer, model].map { ExactText($0) } }
}

/// Whether a token can be used now, and if not, who has to act.
public enum TokenHealth: Sendable {
    /// No attempt to connect has ended yet.
    case starting
    /// Serial number, keys and sealed sentinels were checked; requests are served.
    case ready(TokenIdentity)
    /// Out of reach; it is tried again by itself.
    case unavailable(HSMError)
    /// Something an operator must look at: PIN, another token, another key, the module. A refused PIN is never tried
    /// again by this process; the other causes are looked at again, without a login, and heal when they are corrected.
    case refused(HSMError)

    /// Whether requests are served.
    public var isReady: Bool {
        if case .ready = self { true } else { false }
    }

    /// Why requests are not served; nil while ready or starting.
    public var error: HSMError? {
        switch self {
        case .starting, .ready: nil
        case .unavailable(let error), .refused(let error): error
        }
    }
}

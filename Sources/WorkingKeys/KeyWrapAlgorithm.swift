/// Key agreement with key wrapping, by JOSE name (RFC 7518 §4.6; draft-madden-jose-ecdh-1pu-04).
///
/// `wrap` chooses among them by the content key; `unwrap` takes all.
enum KeyWrapAlgorithm: String, CaseIterable {
    case anonymousA128KW = "ECDH-ES+A128KW"
    case anonymousA192KW = "ECDH-ES+A192KW"
    case anonymousA256KW = "ECDH-ES+A256KW"
    case anonymousXC20PKW = "ECDH-ES+XC20PKW"
    case authenticatedA128KW = "ECDH-1PU+A128KW"
    case authenticatedA192KW = "ECDH-1PU+A192KW"
    case authenticatedA256KW = "ECDH-1PU+A256KW"
    case authenticatedXC20PKW = "ECDH-1PU+XC20PKW"

    /// The algorithm that a content key of this length takes when the sender is authenticated; nil for other lengths.
    init?(authenticatedKeyLength length: Int) {
        switch length {
        case 32: self = .authenticatedA128KW
        case 48: self = .authenticatedA192KW
        case 64: self = .authenticatedA256KW
        default: return nil
        }
    }

    /// Whether the sender's own key takes part.
    var isAuthenticated: Bool {
        switch self {
        case .anonymousA128KW, .anonymousA192KW, .anonymousA256KW, .anonymousXC20PKW: false
        case .authenticatedA128KW, .authenticatedA192KW, .authenticatedA256KW, .authenticatedXC20PKW: true
        }
    }

    /// Whether the content key is sealed by XChaCha20-Poly1305 instead of AES key wrap.
    var usesXChaCha: Bool { self == .anonymousXC20PKW || self == .authenticatedXC20PKW }

    /// Bytes of the wrapping key.
    var wrappingKeyLength: Int {
        switch self {
        case .anonymousA128KW, .authenticatedA128KW: 16
        case .anonymousA192KW, .authenticatedA192KW: 24
        case .anonymousA256KW, .anonymousXC20PKW, .authenticatedA256KW, .authenticatedXC20PKW: 32
        }
    }

    /// What is hashed with the agreed secret.
    func otherInfo(apu: [UInt8], apv: [UInt8], tag: [UInt8]) -> [UInt8] {
        let publicInfo = Self.number(8 * wrappingKeyLength) + (isAuthenticated ? Self.field(tag) : [])
        return Self.field(Array(rawValue.utf8)) + Self.field(apu) + Self.field(apv) + publicInfo
    }

    private static func field(_ bytes: [UInt8]) -> [UInt8] { number(bytes.count) + bytes }

    private static func number(_ value: Int) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }
}

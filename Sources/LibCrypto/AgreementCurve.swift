/// Curves that key agreement keys live on; the raw value is the curve's usual name.
public enum AgreementCurve: String, Sendable, CaseIterable {
    case p256 = "P-256"
    case p384 = "P-384"
    case p521 = "P-521"
    case x25519 = "X25519"

    /// Bytes of a coordinate, of the raw private key and of an agreed secret.
    public var fieldLength: Int { group?.fieldLength ?? 32 }

    /// Bytes of the raw public key: 32 for X25519, else 0x04 ‖ X ‖ Y.
    public var publicKeyLength: Int { group.map { 1 + 2 * $0.fieldLength } ?? 32 }

    /// The Weierstrass group, or nil for X25519.
    var group: NamedGroup? {
        switch self {
        case .p256: .p256
        case .p384: .p384
        case .p521: .p521
        case .x25519: nil
        }
    }
}

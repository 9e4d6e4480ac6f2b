import Encodings
import Pairing

/// The signature scheme that a wallet's key is of, by the name that commands give it.
public struct WalletSuite: RawRepresentable, CaseIterable, Hashable, Sendable {
    /// 0Chain's: CurveFp254BNb, secrets little-endian, hashes signed as they are.
    public static let zeroChain = WalletSuite(BLS0Chain.self)
    /// TPM_ECC_BN_P256, secrets big-endian, hashes tagged with their purpose; the server's half is a TPM's.
    public static let tpm = WalletSuite(BLSBNP256.self)

    public static let allCases = [zeroChain, tpm]

    /// What a signature of a suite with tags is for.
    public enum Purpose: String, Sendable, CaseIterable {
        case message = "msg"
        case transaction = "txn"
    }

    let scheme: any SplitScheme.Type

    private init(_ scheme: any SplitScheme.Type) { self.scheme = scheme }

    public init?(rawValue: String) {
        guard let suite = Self.allCases.first(where: { $0.rawValue.isExactly(rawValue) }) else { return nil }
        self = suite
    }

    public var rawValue: String { scheme.suiteName }

    public static func == (x: WalletSuite, y: WalletSuite) -> Bool { x.scheme == y.scheme }
    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(scheme)) }

    /// In bytes.
    public var publicKeyLength: Int { scheme.publicKeyLength }
    /// In bytes.
    public var signatureLength: Int { scheme.signatureLength }
}

import Anchors
import Encodings
import Pairing
import SecretMemory

/// A scheme of split keys: its arithmetic, and who keeps the infrastructure's scalars of its wallets.
///
/// A new suite is a conformance here with a row in ``SplitSuite/allCases``.
protocol SplitKeyScheme: SplitScheme {
    /// Whether a wallet's key has a part that is an anchor of the token's.
    static var isAnchored: Bool { get }

    /// Gives a scalar into keeping. Only for schemes with anchors.
    static func take(
        _ scalar: SharedSecret, identity: RecordIdentity, by keepers: AnchorKeepers
    ) async throws -> AnchorRecord

    /// The anchor's multiple of the message. Only for schemes with anchors.
    static func multiply(
        _ record: AnchorRecord, _ message: HashedMessage, identity: RecordIdentity, by keepers: AnchorKeepers
    ) async throws -> Signature
}

/// What keeps the infrastructure's scalars.
struct AnchorKeepers: Sendable {
    let anchors: any AnchorKeeping
    /// nil where the token computes on no curve with a pairing.
    let wholePoints: (any WholePointKeeping)?

    /// - Throws: `.unsupported` without a TPM that computes on the curve.
    func requireWholePoints() throws(SplitKeyError) -> any WholePointKeeping {
        guard let wholePoints else {
            throw SplitKeyError(
                .unsupported,
                "the suite '\(BLSBNP256.suiteName)' needs a TPM that computes on TPM_ECC_BN_P256")
        }
        return wholePoints
    }
}

extension SplitSuite {
    /// BLS over CurveFp254BNb as 0Chain uses it.
    public static let bls0chain = SplitSuite(BLS0Chain.self)
    /// BLS over BLS12-381, signatures in G1, every message tagged with its purpose.
    public static let bls12381MinSig = SplitSuite(BLSMinSig.self)
    /// BLS over TPM_ECC_BN_P256, signatures in G1, every message tagged with its purpose; the infrastructure's scalar is a
    /// key of a TPM. Experimental.
    public static let blsTPM = SplitSuite(BLSBNP256.self)

    /// Every suite, in the order that messages name them. Each has another length of public keys and of signatures.
    public static let allCases = [bls0chain, bls12381MinSig, blsTPM]
}

extension BLS0Chain: SplitKeyScheme {
    static var isAnchored: Bool { true }

    static func take(
        _ scalar: SharedSecret, identity: RecordIdentity, by keepers: AnchorKeepers
    ) async throws -> AnchorRecord {
        try await keepers.anchors.take(scalar, identity: identity)
    }

    static func multiply(
        _ record: AnchorRecord, _ message: HashedMessage, identity: RecordIdentity, by keepers: AnchorKeepers
    ) async throws -> Signature {
        try await keepers.anchors.multiply(record, message, identity: identity)
    }
}

extension BLSMinSig: SplitKeyScheme {
    static var isAnchored: Bool { false }

    static func take(
        _ scalar: SharedSecret, identity: RecordIdentity, by keepers: AnchorKeepers
    ) async throws -> AnchorRecord {
        throw SplitKeyError.invalid("'suite' has no anchors")
    }

    static func multiply(
        _ record: AnchorRecord, _ message: HashedMessage, identity: RecordIdentity, by keepers: AnchorKeepers
    ) async throws -> Signature {
        throw SplitKeyError.damaged("split key")
    }
}

extension BLSBNP256: SplitKeyScheme {
    static var isAnchored: Bool { true }

    static func take(
        _ scalar: SharedSecret, identity: RecordIdentity, by keepers: AnchorKeepers
    ) async throws -> AnchorRecord {
        try await keepers.requireWholePoints().take(scalar, identity: identity)
    }

    static func multiply(
        _ record: AnchorRecord, _ message: HashedMessage, identity: RecordIdentity, by keepers: AnchorKeepers
    ) async throws -> Signature {
        try await keepers.requireWholePoints().multiply(record, message, identity: identity)
    }
}

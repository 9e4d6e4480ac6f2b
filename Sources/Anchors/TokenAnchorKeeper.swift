public import Encodings
public import Pairing
public import SecretMemory
import Synchronization
package import Token

/// Anchors in a PKCS #11 token, as EC keys that only multiply; sealed by it where it cannot hold them.
///
/// What lives where: the record is public values and a blob that this token sealed under its key for servers' shares,
/// with the record's identity and its public values as context. Inside is the scalar wrapped under the token's wrapping
/// key (or the name of a token object), which becomes a key that is sensitive and not extractable when it is used.
///
/// - Concurrency: any number of calls at once. The token is asked once what it can; a token that is away is asked again.
public final class TokenAnchorKeeper: AnchorKeeping {
    let token: any AnchorMultiplying
    let settings: AnchorSettings
    private let sealed: SealedAnchorKeeper
    private let multiplier: AnchorMultiplier
    private let seal: AnchorSeal
    private let opened = OpenedAnchors<OpenedAnchor>()
    private let known = Mutex<AnchorCapability?>(nil)
    private let isProbing = Atomic(false)

    package init(token: any AnchorMultiplying, settings: AnchorSettings = AnchorSettings()) {
        self.token = token
        self.settings = settings
        sealed = SealedAnchorKeeper(token: token)
        multiplier = AnchorMultiplier(token: token)
        seal = AnchorSeal(token: token)
    }

    public var mode: AnchorRecord.Mode {
        get async throws(AnchorError) {
            guard settings.placement != .sealed else { return .sealed }
            let capability = try await capability()
            if capability.canAnchor { return .anchored }
            guard settings.placement == .automatic else {
                throw AnchorError(
                    .tokenFailed,
                    "This token cannot hold anchors; choose the placement '\(AnchorSettings.Placement.sealed.rawValue)'"
                        + " or '\(AnchorSettings.Placement.automatic.rawValue)', or another token.",
                    cause: capability.refusal)
            }
            return .sealed
        }
    }

    /// What the token proved, found out at the first call.
    ///
    /// - Throws: `.tokenFailed` while the token is away.
    public func capability() async throws(AnchorError) -> AnchorCapability {
        if let known = known.withLock({ $0 }) { return known }
        let found = try await AnchorProbe(multiplier: multiplier).run()
        known.withLock { $0 = found }
        return found
    }

    public func take(
        _ scalar: SharedSecret, identity: RecordIdentity
    ) async throws(AnchorError) -> AnchorRecord {
        guard try await mode == .anchored else { return try await sealed.take(scalar, identity: identity) }
        let birth = try AnchorBirth(scalar)
        let blob = try await multiplier.take(scalar, birth, asTokenObject: settings.storage == .object)
        do throws(AnchorError) {
            return try await seal.record(
                blob, publicKey: birth.publicKey.encoded, point: birth.point.encoded, identity)
        } catch {
            // No record names it, so nobody could use it.
            try? await token.destroyAnchor(blob)
            throw error
        }
    }

    public func multiply(
        _ record: AnchorRecord, _ message: BLS0Chain.HashedMessage, identity: RecordIdentity
    ) async throws(AnchorError) -> BN254.G1Point {
        guard record.mode == .anchored else {
            return try await sealed.multiply(record, message, identity: identity)
        }
        let anchor = try await open(record, identity)
        let recovery = settings.recovery == .automatic ? try await fasterRecovery() : settings.recovery
        return try await multiplier.multiply(
            message, by: anchor.blob, publicKey: anchor.publicKey, point: anchor.point, recovery)
    }

    public func forget(_ record: AnchorRecord) async {
        guard let anchor = opened.remove(record) else { return }
        await token.forgetAnchor(anchor.blob)
    }

    public func destroy(_ record: AnchorRecord, identity: RecordIdentity) async throws(AnchorError) {
        guard record.mode == .anchored else { return }
        let anchor = try await open(record, identity)
        _ = opened.remove(record)
        do throws(HSMError) {
            try await token.destroyAnchor(anchor.blob)
        } catch {
            throw AnchorError.from(error, "The token did not destroy an anchor")
        }
    }

    /// What the probe measured. The first call measures; others do not wait for it, since either way is right.
    private func fasterRecovery() async throws(AnchorError) -> AnchorSettings.Recovery {
        if let known = known.withLock({ $0 }) { return known.recovery }
        guard isProbing.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged else {
            return .secondProduct
        }
        defer { isProbing.store(false, ordering: .releasing) }
        return try await capability().recovery
    }

    func open(_ record: AnchorRecord, _ identity: RecordIdentity) async throws(AnchorError) -> OpenedAnchor {
        if let found = opened.find(record, identity) { return found }
        let anchor = try OpenedAnchor(record: record, blob: try await seal.open(record, identity))
        opened.insert(anchor, record, identity)
        return anchor
    }
}

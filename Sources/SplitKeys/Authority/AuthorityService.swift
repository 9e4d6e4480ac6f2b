public import Anchors
public import Audit
import EnclaveLock
import Encodings
public import Foundation
import LibCrypto
import SecretMemory
public import Storage
import Synchronization
public import Token

/// The co-signing role (0Chain's ZAuth): keeps the server's halves of split keys and co-signs with them.
///
/// Nothing secret is used before the key's record opened together with its policy, and nothing is released before the
/// result verifies under the wallet's key and the decision is in the audit chain.
///
/// - Concurrency: any number of calls at once.
public final class AuthorityService: SplitAuthority {
    let store: AuthorityStore
    let sealing: any Sealing
    let anchors: any AnchorKeeping
    let revocations: any RevocationKeeping
    let configuration: SplitConfiguration
    let auditor: SplitAuditor
    let combiner: ShareCombiner
    let gate = SigningBarrier()
    let opened: OpenedShares
    let limiter: RateLimiter<String>
    let wrongHalves: InvalidShareLimiter
    let refusals = RefusalCounter()
    // exact: names of keys are hexadecimal digits that were made here.
    private let used = Mutex<[String: Int64]>([:])
    private let clock: @Sendable () -> Date

    /// Opens or makes the store. Blocks for a few file operations.
    ///
    /// - Parameters:
    ///   - path: The role's own database.
    ///   - sealing: The device whose `share-lock-server` key seals what is stored.
    ///   - wholePoints: Holds the anchors of wallets on a TPM's curve; nil if no token does.
    public init(
        path: String, sealing: any Sealing, anchors: any AnchorKeeping,
        wholePoints: (any WholePointKeeping)? = nil, audit: any AuditRecording,
        revocations: any RevocationKeeping, configuration: SplitConfiguration,
        clock: @escaping @Sendable () -> Date = { Date() }
    ) throws(SplitKeyError) {
        store = try AuthorityStore(path: path, tell: EpochTelling { try await audit.tellStates() })
        self.sealing = sealing
        self.anchors = anchors
        self.revocations = revocations
        self.configuration = configuration
        auditor = SplitAuditor(chain: audit, front: "auth") { Int64(clock().timeIntervalSince1970) }
        combiner = ShareCombiner(keepers: AnchorKeepers(anchors: anchors, wholePoints: wholePoints))
        opened = OpenedShares(capacity: configuration.shareCacheSize)
        limiter = RateLimiter(perSecond: configuration.signaturesPerSecond)
        wrongHalves = InvalidShareLimiter(perSecond: configuration.wrongHalvesPerSecond)
        self.clock = clock
    }

    /// Writes what is still in memory and closes the files.
    public func close() async throws {
        await tellRefusals(isLast: true)
        try await flush()
        try store.close()
    }

    /// Whether rows set up by a vault that is not ours may sign bare hashes.
    public var allowsForeignMessages: Bool { configuration.profile == .compat }

    /// Proves that the store is the one that was written last.
    public var seal: StateSeal { store.seal }

    /// The same of a store that is opened for nothing else; close it.
    public static func seal(ofStore path: String) throws -> StateSeal { try AuthorityStore(path: path).seal }

    /// What a store that is only read says of its own place, also beside the daemon.
    public static func claim(ofFile path: String) throws -> StateSeal.Claim {
        try StateSeal.claim(ofFile: path, schema: AuthorityStore.schema)
    }

    /// Server shares and anchors in a store that is only read: each needs the token that they were made with.
    public static func count(ofFile path: String) throws -> Int {
        try StateSeal.count(
            "SELECT (SELECT COUNT(*) FROM shares) + (SELECT COUNT(*) FROM anchors)", inFile: path,
            schema: AuthorityStore.schema)
    }

    /// Unix seconds.
    var now: Int64 { Int64(clock().timeIntervalSince1970) }

    /// Writes when keys were last used and what was refused, and drops opened shares whose time is over. Called now and
    /// then.
    public func flush() async throws(SplitKeyError) {
        opened.sweep()
        await tellRefusals(isLast: false)
        // Forgotten here only when the rows tell them, so that no reader finds them in neither place.
        let times = used.withLock { $0 }
        guard !times.isEmpty else { return }
        try await store.touch(times)
        used.withLock { used in
            for (peer, time) in times where used[peer] == time { used[peer] = nil }
        }
    }

    func touch(_ peer: String) {
        let now = now
        used.withLock { $0[peer] = now }
    }

    /// When the key was last used, in Unix seconds; 0 if never.
    public func lastUsed(client: String, key: [UInt8], caller: SplitCaller) async throws(SplitKeyError) -> Int64 {
        // Before the row: ``flush()`` goes the other way.
        let times = used.withLock { $0 }
        let share = try await find(client: client, key: key, caller: caller)
        return max(share.lastUsed, times[share.peerText] ?? 0)
    }

    // MARK: Rows

    /// The caller's share that `key` names by either of its public keys.
    func find(client: String, key: [UInt8], caller: SplitCaller) async throws(SplitKeyError) -> ShareRecord {
        let shares = try await store.shares(client: client, user: caller.user)
        guard let share = shares.first(where: { $0.publicKey == key }) ?? shares.first(where: { $0.peerKey == key })
        else { throw .unknownKey }
        return share
    }

    /// Opens a share: its sealed part proves everything else in the row.
    func open(_ record: ShareRecord) async throws(SplitKeyError) -> OpenedShare {
        let expires = ContinuousClock.now + configuration.shareTTL
        let secret: SharedSecret
        do {
            secret = try await sealing.open(record.sealed, under: .shareLockServer, context: try record.context())
        } catch let error as HSMError {
            throw SplitKeyError(token: error, record: "split key")
        } catch {
            throw SplitKeyError(.internalFailure, "internal error", underlying: error)
        }
        var anchor: (record: AnchorRecord, row: AnchorRow)?
        if let id = record.anchor {
            guard let row = try await store.anchor(id), row.clientID == record.clientID, row.userID == record.userID,
                let decoded = try? JSONDecoder().decode(AnchorRecord.self, from: Data(row.record))
            else { throw .damaged("anchor") }
            anchor = (decoded, row)
        }
        return OpenedShare(record: record, secret: secret, anchor: anchor, expires: expires)
    }

    func seal(_ secret: SharedSecret, _ record: ShareRecord) async throws(SplitKeyError) -> [UInt8] {
        let context = try record.context()
        do {
            return try await sealing.seal(secret, under: .shareLockServer, context: context)
        } catch {
            throw SplitKeyError(token: error, record: "split key")
        }
    }

    /// In bytes.
    static let nonceLength = 16

    /// Random bytes as hex.
    static func nonce() throws(SplitKeyError) -> String {
        do { return Hexadecimal.encode(try Random.bytes(nonceLength)) } catch {
            throw SplitKeyError(.internalFailure, "internal error", underlying: error)
        }
    }
}

extension SplitKeyError {
    init(token error: HSMError, record: String) {
        switch error.code {
        case .authenticationFailed: self = .damaged(record, error)
        case .invalidArgument: self.init(.internalFailure, "internal error", underlying: error)
        default:
            self.init(.tokenUnavailable, "the token is not available now; nothing was done", underlying: error)
        }
    }
}

public import Audit
import Encodings
public import Foundation
import LibCrypto
import SecretMemory
public import Storage
public import Token

/// The vault (0Chain's ZVault): knows wallets, splits them, and hands out the users' halves.
///
/// It never holds a whole master key of an anchored wallet after the moment of its birth: it keeps what is missing to
/// the anchor, sealed by the device's root lock, and the users' halves under a key of their own.
///
/// - Concurrency: any number of calls at once.
public final class VaultService: Sendable {
    /// Most wallets in one answer.
    static let mostWallets = 10_000

    let store: VaultStore
    let sealing: any Sealing
    let authority: any SplitAuthority
    let auditor: SplitAuditor
    let configuration: SplitConfiguration
    /// Orders the changes of one split key, so that this role and the other come to the same end.
    let changes = SigningBarrier()
    private let clock: @Sendable () -> Date

    /// Opens or makes the store. Blocks for a few file operations.
    ///
    /// - Parameters:
    ///   - path: The role's own database.
    ///   - sealing: The device whose root lock and `share-lock-user` keys seal what is stored.
    ///   - authority: The co-signing role.
    public init(
        path: String, sealing: any Sealing, authority: any SplitAuthority, audit: any AuditRecording,
        configuration: SplitConfiguration, clock: @escaping @Sendable () -> Date = { Date() }
    ) throws(SplitKeyError) {
        store = try VaultStore(path: path, tell: EpochTelling { try await audit.tellStates() })
        self.sealing = sealing
        self.authority = authority
        auditor = SplitAuditor(chain: audit, front: "vault") { Int64(clock().timeIntervalSince1970) }
        self.configuration = configuration
        self.clock = clock
    }

    /// Writes what is still in memory and closes the file.
    public func close() async throws {
        await auditor.tellCounts(isLast: true)
        try store.close()
    }

    /// Writes how often something was refused. Called now and then.
    public func flush() async { await auditor.tellCounts(isLast: false) }

    /// Proves that the store is the one that was written last.
    public var seal: StateSeal { store.seal }

    /// The same of a store that is opened for nothing else; close it.
    public static func seal(ofStore path: String) throws -> StateSeal { try VaultStore(path: path).seal }

    /// What a store that is only read says of its own place, also beside the daemon.
    public static func claim(ofFile path: String) throws -> StateSeal.Claim {
        try StateSeal.claim(ofFile: path, schema: VaultStore.schema)
    }

    /// Wallets and user shares in a store that is only read: each needs the token that they were made with.
    public static func count(ofFile path: String) throws -> Int {
        try StateSeal.count(
            "SELECT (SELECT COUNT(*) FROM masters) + (SELECT COUNT(*) FROM splits)", inFile: path,
            schema: VaultStore.schema)
    }

    /// Unix seconds.
    var now: Int64 { Int64(clock().timeIntervalSince1970) }

    /// Runs one operation; a refusal is recorded, or counted if it repeats.
    func audited<R>(
        _ operation: String, _ subject: String, _ caller: SplitCaller,
        _ body: () async throws(SplitKeyError) -> R
    ) async throws(SplitKeyError) -> R {
        do {
            return try await TokenTenant(caller.user).run(body)
        } catch {
            await auditor.refuse(error, operation, subject, actor: caller.user.text, requestID: caller.requestID)
            throw error
        }
    }

    /// Records that an operation is allowed; what it does happens afterwards.
    func allow(
        // exact: names of details are our own words.
        _ operation: String, _ subject: String, _ caller: SplitCaller, _ details: [String: String] = [:]
    ) async throws(SplitKeyError) {
        try await auditor.allow(
            operation, subject, actor: caller.user.text, requestID: caller.requestID, details: details)
    }

    // MARK: Rows

    /// The caller's wallet.
    func wallet(_ client: String, _ caller: SplitCaller) async throws(SplitKeyError) -> MasterRecord {
        guard let master = try await store.master(client), master.userID == caller.user else { throw .unknownWallet }
        return master
    }

    static func told(_ master: MasterRecord) -> SplitWallet {
        SplitWallet(
            clientID: master.clientID, clientKey: master.clientKey, userID: master.userID, suite: master.suite,
            // A name nobody knows promises nothing: sealed claims less.
            protection: SplitProtection(rawValue: master.protection) ?? .sealed, createdAt: master.createdAt)
    }

    /// A split key with its share opened.
    func told(_ split: SplitRecord, _ master: MasterRecord) async throws(SplitKeyError) -> SplitKey {
        let share =
            split.sealed.isEmpty
            ? nil : try await open(split.sealed, .shareLockUser, split.context, "split key")
        return Self.told(split, master, share: share)
    }

    static func told(_ split: SplitRecord, _ master: MasterRecord, share: SharedSecret?) -> SplitKey {
        SplitKey(
            wallet: told(master), publicKey: split.publicKey, peerKey: split.peerKey, share: share,
            sharedTo: split.sharedTo, isRevoked: split.isRevoked, policy: split.policy, createdAt: split.createdAt)
    }

    // MARK: Sealing

    func seal(
        _ secret: SharedSecret, _ role: KeyRole, _ context: [UInt8]
    ) async throws(SplitKeyError) -> [UInt8] {
        do { return try await sealing.seal(secret, under: role, context: context) } catch {
            throw SplitKeyError(token: error, record: "secret")
        }
    }

    func open(
        _ sealed: [UInt8], _ role: KeyRole, _ context: [UInt8], _ what: String
    ) async throws(SplitKeyError) -> SharedSecret {
        do { return try await sealing.open(sealed, under: role, context: context) } catch {
            throw SplitKeyError(token: error, record: what)
        }
    }
}

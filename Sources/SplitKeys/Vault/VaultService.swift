public import Audit
public import Foundation
public import HSMBridge
import LibCrypto
import SecretMemory

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
        store = try VaultStore(path: path)
        self.sealing = sealing
        self.authority = authority
        auditor = SplitAuditor(chain: audit, front: "vault")
        self.configuration = configuration
        self.clock = clock
    }

    public func close() throws { try store.close() }

    /// Unix seconds.
    var now: Int64 { Int64(clock().timeIntervalSince1970) }

    /// Runs one operation; a refusal is recorded.
    func audited<R>(
        _ operation: String, _ subject: String, _ caller: SplitCaller,
        _ body: () async throws(SplitKeyError) -> R
    ) async throws(SplitKeyError) -> R {
        do {
            return try await body()
        } catch {
            await auditor.refuse(error, operation, subject, actor: caller.user, requestID: caller.requestID)
            throw error
        }
    }

    /// Records that an operation is allowed; what it does happens afterwards.
    func allow(
        _ operation: String, _ subject: String, _ caller: SplitCaller, _ details: [String: String] = [:]
    ) async throws(SplitKeyError) {
        try await auditor.allow(
            operation, subject, actor: caller.user, requestID: caller.requestID, details: details)
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
        return SplitKey(
            wallet: Self.told(master), publicKey: split.publicKey, peerKey: split.peerKey, share: share,
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

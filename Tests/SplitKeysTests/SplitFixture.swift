import Anchors
import Audit
import Encodings
import Foundation
import LibCrypto
import Pairing
import SecretMemory
import Synchronization
import TestSupport
import Testing
import Token

@testable import SplitKeys

/// Both roles over devices in memory, so that faults can be injected; the acceptance tests use the real ones.
struct SplitFixture {
    let folder: URL
    let token: MemoryToken
    let anchors: MemoryAnchors
    let wholePoints: MemoryWholePoints
    let chain: MemoryChain
    let vault: VaultService
    let authority: AuthorityService
    let clock: TestClock

    init(
        _ configuration: SplitConfiguration = SplitConfiguration(), reusing other: SplitFixture? = nil,
        hasWholePoints: Bool = true
    ) throws {
        folder = try other?.folder ?? ScratchDirectory.make("split")
        token = try other?.token ?? MemoryToken()
        anchors = other?.anchors ?? MemoryAnchors()
        wholePoints = other?.wholePoints ?? MemoryWholePoints()
        chain = other?.chain ?? MemoryChain()
        clock = other?.clock ?? TestClock()
        let clock = clock
        authority = try AuthorityService(
            path: folder.appendingPathComponent("shares.sqlite").path, sealing: token, anchors: anchors,
            wholePoints: hasWholePoints ? wholePoints : nil, audit: chain, revocations: chain,
            configuration: configuration, clock: { clock.now })
        vault = try VaultService(
            path: folder.appendingPathComponent("vault.sqlite").path, sealing: token, authority: authority,
            audit: chain, configuration: configuration, clock: { clock.now })
    }

    func caller(_ user: String = "alice", service: Bool = false) throws -> SplitCaller {
        try SplitCaller(user: ExactText(user), isService: service, token: "token", requestID: "request")
    }

    /// The user's half of a signature on a hash.
    static func half(_ hash: [UInt8], _ key: SplitKey) throws -> [UInt8] {
        try #require(key.share).withUnsafeBytes { try BLS0Chain.sign(hash, secretKey: $0).encoded }
    }

    func message(_ hash: [UInt8], _ key: SplitKey) throws -> CosignRequest {
        CosignRequest(
            peerKey: key.publicKey, share: try Self.half(hash, key),
            payload: .message(hash: hash, clientID: key.wallet.clientID), user: nil, requestID: "request")
    }
}

/// A clock that is set by hand.
final class TestClock: Sendable {
    private let time = Mutex(Date(timeIntervalSince1970: 1_800_000_000))
    var now: Date { time.withLock { $0 } }
    func advance(_ seconds: Double) { time.withLock { $0 += seconds } }
}

/// Keeps scalars in memory; can give a wrong multiple.
final class MemoryAnchors: AnchorKeeping {
    private struct State {
        var scalars: [[UInt8]: (SharedSecret, RecordIdentity)] = [:]
        var isFaulty = false
        var delay: Duration = .zero
    }

    private let state = Mutex(State())
    /// How often a product was asked for.
    let products = Atomic(0)

    func beFaulty(_ isFaulty: Bool) { state.withLock { $0.isFaulty = isFaulty } }
    func delay(_ delay: Duration) { state.withLock { $0.delay = delay } }

    var mode: AnchorRecord.Mode { .sealed }

    func take(_ scalar: SharedSecret, identity: RecordIdentity) async throws(AnchorError) -> AnchorRecord {
        do {
            let name = try Random.bytes(16)
            state.withLock { $0.scalars[name] = (scalar, identity) }
            let key = try scalar.withUnsafeBytes { try BLS0Chain.publicKey(of: $0) }
            return AnchorRecord(mode: .sealed, blob: name, publicKey: key.encoded, point: [])
        } catch {
            throw AnchorError(.internalFailure, "\(error)")
        }
    }

    func multiply(
        _ record: AnchorRecord, _ message: BLS0Chain.HashedMessage, identity: RecordIdentity
    ) async throws(AnchorError) -> BN254.G1Point {
        products.add(1, ordering: .relaxed)
        let (found, isFaulty, delay) = state.withLock { ($0.scalars[record.blob], $0.isFaulty, $0.delay) }
        if delay > .zero { try? await Task.sleep(for: delay) }
        guard let (scalar, owner) = found, owner == identity else { throw AnchorError(.damaged, "no such anchor") }
        do {
            let point = try scalar.withUnsafeBytes { try BLS0Chain.sign(message, secretKey: $0) }
            return isFaulty ? point + .generator : point
        } catch {
            throw AnchorError(.internalFailure, "\(error)")
        }
    }

    func forget(_ record: AnchorRecord) async {}
}

/// Keeps scalars on a TPM's curve in memory; can give a wrong multiple.
final class MemoryWholePoints: WholePointKeeping {
    private let scalars = Mutex<[[UInt8]: (SharedSecret, RecordIdentity)]>([:])
    private let isFaulty = Mutex(false)

    func beFaulty(_ isFaulty: Bool) { self.isFaulty.withLock { $0 = isFaulty } }

    func take(_ scalar: SharedSecret, identity: RecordIdentity) async throws(AnchorError) -> AnchorRecord {
        do {
            let name = try Random.bytes(16)
            scalars.withLock { $0[name] = (scalar, identity) }
            let key = try scalar.withUnsafeBytes { try BLSBNP256.publicKey(of: $0) }
            return AnchorRecord(mode: .anchored, blob: name, publicKey: key.compressed, point: [])
        } catch {
            throw AnchorError(.internalFailure, "\(error)")
        }
    }

    func multiply(
        _ record: AnchorRecord, _ message: BLSBNP256.HashedMessage, identity: RecordIdentity
    ) async throws(AnchorError) -> BNP256.G1Point {
        guard let (scalar, owner) = scalars.withLock({ $0[record.blob] }), owner == identity else {
            throw AnchorError(.damaged, "no such anchor")
        }
        do {
            let point = try scalar.withUnsafeBytes { try BLSBNP256.sign(message, secretKey: $0) }
            return isFaulty.withLock { $0 } ? point + .generator : point
        } catch {
            throw AnchorError(.internalFailure, "\(error)")
        }
    }

    func forget(_ record: AnchorRecord) async {}
}

/// Keeps records in memory; can refuse them.
final class MemoryChain: AuditRecording, RevocationKeeping {
    private struct State {
        var events: [AuditEvent] = []
        var revoked: Set<String> = []
        var isFull = false
        var refusal: String?
    }

    private let state = Mutex(State())

    var events: [AuditEvent] { state.withLock { $0.events } }
    func beFull(_ isFull: Bool) { state.withLock { $0.isFull = isFull } }
    func refuse(_ reason: String?) { state.withLock { $0.refusal = reason } }

    func record(_ event: AuditEvent) async throws(AuditError) -> AuditPosition {
        let index = state.withLock { state -> UInt64? in
            if state.isFull { return nil }
            state.events.append(event)
            return UInt64(state.events.count)
        }
        guard let index else { throw AuditError(.unavailable, "full") }
        return AuditPosition(index: index, hash: [])
    }

    func revoke(_ subject: String, _ event: AuditEvent) async throws(AuditError) -> AuditPosition {
        let position = try await record(event)
        state.withLock { _ = $0.revoked.insert(subject) }
        return position
    }

    func isRevoked(_ subject: String) -> Bool { state.withLock { $0.revoked.contains(subject) } }
    var refusal: String? { state.withLock { $0.refusal } }
}

/// The code of the error that `body` throws.
func code(_ body: () async throws -> Void) async -> SplitKeyError.Code? {
    do {
        try await body()
        return nil
    } catch {
        return (error as? SplitKeyError)?.code
    }
}

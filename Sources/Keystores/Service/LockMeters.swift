public import EnclaveLock
import Encodings
public import PrometheusMetrics
import SecretMemory

/// What locks take, by kind: a secret lock's calls, and sealing and opening of key versions under a keystore's lock key.
public final class LockMeters: Sendable {
    /// One lock's two operations.
    public final class Times: Sendable {
        public let encrypt = Histogram()
        public let decrypt = Histogram()
    }

    /// Under a keystore's lock key, which is at hand.
    public let key = Times()
    private let kinds: [LockKind: Times] = Dictionary(uniqueKeysWithValues: LockKind.allCases.map { ($0, Times()) })

    /// Of secret locks of one kind.
    public func times(of kind: LockKind) -> Times { kinds[kind] ?? key }
}

/// A secret lock whose calls are timed while the meter is on, failed ones too.
struct MeasuredLock: SecretLock {
    let lock: any SecretLock
    let meter: Meter
    let times: LockMeters.Times

    var kind: LockKind { lock.kind }
    var identity: String { lock.identity }

    var refusal: EnclaveLockError? { lock.refusal }
    var shareChanges: ShareChanges? { lock.shareChanges }
    func forgetShare(of user: String) { lock.forgetShare(of: user) }
    func probe() async throws(EnclaveLockError) { try await lock.probe() }

    func seal(
        _ secret: SharedSecret, identity: RecordIdentity, caller: CallerShare?
    ) async throws(EnclaveLockError) -> [UInt8] {
        let start = meter.start()
        defer { times.encrypt.record(since: start) }
        return try await lock.seal(secret, identity: identity, caller: caller)
    }

    func open(
        _ sealed: [UInt8], identity: RecordIdentity, caller: CallerShare?
    ) async throws(EnclaveLockError) -> SharedSecret {
        let start = meter.start()
        defer { times.decrypt.record(since: start) }
        return try await lock.open(sealed, identity: identity, caller: caller)
    }
}

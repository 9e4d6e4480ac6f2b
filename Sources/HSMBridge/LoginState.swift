import Token

/// Decides when to connect, check, wait or give up. A pure value: time and events come in, the next step comes out.
///
/// | phase    | left by                                  | to                              |
/// |----------|------------------------------------------|---------------------------------|
/// | starting | connected / failed                       | serving / down, refused, halted |
/// | serving  | handles or login over / token lost       | renewing / down                 |
/// | renewing | connected / failed                       | serving / down, refused, halted |
/// | down     | connected after the pause                | serving                         |
/// | refused  | as down: no PIN was refused, so looking again is harmless | serving        |
/// | halted   | nothing: the token refused the PIN, and one more attempt may lock it | –   |
struct LoginState: Sendable {
    enum Phase: Sendable {
        case starting
        case serving
        case renewing
        case down(HSMError)
        case refused(HSMError)
        case halted(HSMError)
        case stopped
    }

    /// How thoroughly to connect.
    enum Depth: Equatable, Sendable {
        /// New sessions, the login if it is gone, all handles again.
        case renew
        /// C_Finalize and C_Initialize first, unless that would disturb another token too often.
        case full
    }

    enum Step: Equatable, Sendable {
        case connect(Depth)
        case check
        case wait(Duration?)
        case stop
    }

    private(set) var phase: Phase = .starting
    private var failures = 0
    private var due: ContinuousClock.Instant
    private let healthInterval: Duration
    private let ceiling: Duration

    static let shortestPause: Duration = .milliseconds(100)

    init(healthInterval: Duration, ceiling: Duration, now: ContinuousClock.Instant) {
        self.healthInterval = healthInterval
        self.ceiling = max(ceiling, Self.shortestPause)
        due = now
    }

    func step(at now: ContinuousClock.Instant) -> Step {
        switch phase {
        case .stopped: .stop
        case .starting, .renewing: .connect(.renew)
        case .serving: now >= due ? .check : .wait(due - now)
        case .down, .refused: now >= due ? .connect(.full) : .wait(due - now)
        case .halted: .wait(nil)
        }
    }

    var isServing: Bool { if case .serving = phase { true } else { false } }

    mutating func connected(at now: ContinuousClock.Instant) {
        if case .stopped = phase { return }
        phase = .serving
        failures = 0
        due = now + healthInterval
    }

    mutating func checked(at now: ContinuousClock.Instant) { due = now + healthInterval }

    /// The login generation is over: handles or the login are gone, the token is not.
    mutating func expired() {
        if isServing { phase = .renewing }
    }

    /// Connecting failed, or a served token was lost.
    mutating func failed(_ error: HSMError, at now: ContinuousClock.Instant) {
        if case .stopped = phase { return }
        switch error.code {
        case .pinRefused:
            phase = .halted(error)
            return
        case .tokenMismatch, .keyMismatch, .keyMissing, .moduleRefused, .pinSourceRefused, .configurationRefused:
            phase = .refused(error)
        default:
            phase = .down(error)
        }
        due = now + pause
        failures += 1
    }

    mutating func stop() { phase = .stopped }

    /// 0.1 s doubled with every failure, up to the ceiling.
    private var pause: Duration { min(ceiling, Self.shortestPause * (1 << min(failures, 10))) }
}

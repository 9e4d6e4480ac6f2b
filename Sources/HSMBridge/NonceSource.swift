import Synchronization
import Token

/// Makes the IVs of AES-GCM under the token's long-lived keys: 8 random bytes ‖ 4-byte counter.
///
/// The random part is drawn again at every start and after 2^32 IVs, so an IV repeats only if two of those draws are
/// equal (NIST SP 800-38D section 8.2; the chance stays below 2^-32 for 2^16 starts). Tokens take any IV, even one
/// that was used before, so this is the only guard.
final class NonceSource: Sendable {
    private struct State {
        var salt: [UInt8]
        var counter: UInt32
    }

    private let state: Mutex<State>

    init(counter: UInt32 = 0) { state = Mutex(State(salt: SystemRandom.bytes(8), counter: counter)) }

    func next() -> [UInt8] {
        state.withLock { state in
            let iv = state.salt + withUnsafeBytes(of: state.counter.bigEndian, Array.init)
            let (counter, isOver) = state.counter.addingReportingOverflow(1)
            state.counter = counter
            if isOver { state.salt = SystemRandom.bytes(8) }
            return iv
        }
    }
}

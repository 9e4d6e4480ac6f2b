import Decryption
import Encodings
import Synchronization

/// Rows of keys as they were read last, so that a question asks the file for none. Only this process writes the file, and what it
/// is about to write is forgotten here first.
///
/// - Concurrency: any thread.
final class KnownKeys: Sendable {
    private static let most = 256

    private struct State {
        var keys: [ExactText: DecryptionKeyRecord] = [:]
        /// Raised before and after each change: what was read meanwhile may be either.
        var generation = 0
    }

    private let state = Mutex(State())

    /// A key that is known, and the generation to hand in with what is read now.
    func key(_ id: String) -> (key: DecryptionKeyRecord?, generation: Int) {
        state.withLock { ($0.keys[ExactText(id)], $0.generation) }
    }

    func learn(_ key: DecryptionKeyRecord, generation: Int) {
        state.withLock { state in
            guard state.generation == generation else { return }
            if state.keys.count >= Self.most { state.keys.removeAll() }
            state.keys[ExactText(key.id)] = key
        }
    }

    func forget() {
        state.withLock {
            $0.keys.removeAll()
            $0.generation += 1
        }
    }
}

import LibCrypto
import Synchronization

/// Remembers what the authorization server said about active tokens, if the operator wants that at all.
///
/// - Concurrency: any thread.
final class IntrospectionCache: Sendable {
    private static let limit = 4096

    private let seconds: Int64
    private let entries = Mutex<[[UInt8]: (answer: Introspection, until: Int64)]>([:])

    /// - Parameter seconds: 0 remembers nothing.
    init(seconds: Int64) { self.seconds = seconds }

    func answer(for token: String, now: Int64) -> Introspection? {
        guard seconds > 0, let name = Self.name(token) else { return nil }
        return entries.withLock { entries in
            // A clock that was set back makes nothing last longer: what was learnt in its future is asked about again.
            guard let entry = entries[name], now < entry.until, now >= entry.until - seconds else { return nil }
            return entry.answer
        }
    }

    func remember(_ answer: Introspection, for token: String, now: Int64) {
        guard seconds > 0, let name = Self.name(token) else { return }
        entries.withLock { entries in
            if entries.count >= Self.limit {
                entries = entries.filter { now < $0.value.until && now >= $0.value.until - seconds }
            }
            if entries.count >= Self.limit { entries.removeAll() }
            entries[name] = (answer, now + seconds)
        }
    }

    /// Tokens are credentials, so their hashes are the names.
    private static func name(_ token: String) -> [UInt8]? { try? Digest.sha256(Array(token.utf8)) }
}

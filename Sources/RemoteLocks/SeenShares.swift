import EnclaveLock
import Encodings
import LibCrypto
import SecretMemory
import Synchronization

/// Knows of each user's share whether it is the one that was seen last, without keeping the share: for as long as somebody
/// may have something open that the other one opened, whatever was forgotten or failed in between.
///
/// - Concurrency: any thread.
final class SeenShares: Sendable {
    private struct Seen {
        var tag: [UInt8]
        var at: ContinuousClock.Instant
    }

    private let capacity: Int
    /// Of this process, so that tags mean nothing elsewhere.
    private let salt = (0..<32).map { _ in UInt8.random(in: .min ... .max) }
    private let users = Mutex<[ExactText: Seen]>([:])

    /// - Parameter capacity: Users that are known; the one that was seen longest ago makes room.
    init(capacity: Int) { self.capacity = capacity }

    /// Takes note of a share.
    ///
    /// - Returns: Whether the user had another one before.
    func isChanged(_ share: SharedSecret, of user: String, now: ContinuousClock.Instant = .now) throws(LibCryptoError)
        -> Bool
    {
        let tag = try share.withSecret { share throws(LibCryptoError) in try HMAC.sha256(key: share, salt) }
        return users.withLock { users in
            if users.count >= capacity, users[ExactText(user)] == nil,
                let oldest = users.min(by: { $0.value.at < $1.value.at })
            {
                users[oldest.key] = nil
            }
            let before = users.updateValue(Seen(tag: tag, at: now), forKey: ExactText(user))
            return before.map { !ConstantTime.equal($0.tag, tag) } ?? false
        }
    }
}

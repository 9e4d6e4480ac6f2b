import Encodings
import Synchronization

/// How often another server is asked out of turn for each of many names: a few times at once, then once in a while.
///
/// - Concurrency: any thread.
final class QuestionBudget: Sendable {
    private static let burst = 4
    private static let interval = Duration.seconds(5)

    private struct Account {
        var left: Int
        var since: ContinuousClock.Instant
    }

    private let capacity: Int
    private let accounts = Mutex<[ExactText: Account]>([:])

    /// - Parameter capacity: Names that are kept apart; beyond it nobody new is allowed until some are at rest again.
    init(capacity: Int) { self.capacity = capacity }

    /// Whether one more question may be asked now; it counts.
    func take(_ name: String, now: ContinuousClock.Instant = .now) -> Bool {
        let name = ExactText(name)
        return accounts.withLock { accounts in
            if accounts.count >= capacity, accounts[name] == nil {
                accounts = accounts.filter { now - $0.value.since < Self.interval * Self.burst }
                guard accounts.count < capacity else { return false }
            }
            var account = accounts[name] ?? Account(left: Self.burst, since: now)
            while account.left < Self.burst, now - account.since >= Self.interval {
                account.left += 1
                account.since += Self.interval
            }
            if account.left == Self.burst { account.since = now }
            let isAllowed = account.left > 0
            if isAllowed { account.left -= 1 }
            accounts[name] = account
            return isAllowed
        }
    }
}

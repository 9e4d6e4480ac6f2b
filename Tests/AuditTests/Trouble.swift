import Foundation
import GRDB
import Synchronization

@testable import Audit

/// Fails, blocks or is slow at one point of a write, while it is told to.
final class Trouble: Sendable {
    let fails = Mutex(false)
    /// Seconds that each write takes longer.
    let delay = Mutex(0.0)
    private let point: AuditFaults.Point
    private let isBlocked = Mutex(false)
    private let changed = NSCondition()

    init(_ point: AuditFaults.Point) { self.point = point }

    /// From now on writes wait for ``unblock()``.
    func block() { isBlocked.withLock { $0 = true } }

    func unblock() {
        changed.lock()
        isBlocked.withLock { $0 = false }
        changed.broadcast()
        changed.unlock()
    }

    var faults: AuditFaults {
        AuditFaults { [self] reached in
            guard reached == point else { return }
            changed.lock()
            while isBlocked.withLock({ $0 }) { changed.wait() }
            changed.unlock()
            Thread.sleep(forTimeInterval: delay.withLock { $0 })
            if fails.withLock({ $0 }) { throw DatabaseError(resultCode: .SQLITE_FULL) }
        }
    }
}

import Foundation
import Glibc
import Synchronization
import Testing

@testable import TPMBridge

@Suite(.timeLimit(.minutes(10))) struct ExclusiveUseTests {
    /// What others of the process open, and find closed.
    private final class Others: Sendable {
        let isOver = Atomic(false)
        let opened = Atomic(0)
        let lost = Atomic(0)

        func work() {
            while !isOver.load(ordering: .relaxed) {
                let file = open("/dev/null", O_RDONLY | O_CLOEXEC)
                if close(file) != 0 { lost.add(1, ordering: .relaxed) }
                opened.add(1, ordering: .relaxed)
            }
        }
    }

    /// A descriptor that is closed twice is somebody else's the second time. In a process of its own, which it would harm.
    @Test func whoeverIsRefusedClosesNothingOfOthers() async {
        await #expect(processExitsWith: .success) {
            let path = TPMAddress.Path.socket("/nowhere/\(getpid())")
            let first = try ExclusiveUse(of: path)
            let others = Others()
            for _ in 0..<2 { Thread.detachNewThread { others.work() } }
            var refused = 0
            while refused < 20_000 || others.opened.load(ordering: .relaxed) < 20_000 {
                do { _ = try ExclusiveUse(of: path) } catch { refused += 1 }
            }
            others.isOver.store(true, ordering: .relaxed)
            guard others.lost.load(ordering: .relaxed) == 0 else { exit(5) }
            _ = consume first
        }
    }
}

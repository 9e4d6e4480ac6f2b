import Synchronization

/// A line of progress whose length is known when the first step is made.
final class MigrationProgress: Sendable {
    private let bar = Mutex<SharedProgress?>(nil)

    func advance(_ count: Int, of total: Int) {
        let line = bar.withLock { bar in
            let line = bar ?? SharedProgress(total: total)
            bar = line
            return line
        }
        line.advance(count)
    }

    func finish() { bar.withLock { $0?.finish() } }
}

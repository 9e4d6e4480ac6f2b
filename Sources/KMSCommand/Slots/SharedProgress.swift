import Synchronization

/// A line of progress that several tasks advance.
final class SharedProgress: Sendable {
    private let bar: Mutex<(line: ImportProgress, done: Int)>

    init(total: Int) { bar = Mutex((ImportProgress(total: total), 0)) }

    func advance(_ count: Int) {
        bar.withLock { bar in
            bar.done += count
            bar.line.reach(bar.done)
        }
    }

    func finish() { bar.withLock { $0.line.finish() } }
}

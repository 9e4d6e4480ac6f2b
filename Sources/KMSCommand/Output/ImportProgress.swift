import Foundation
import Glibc

/// A line of progress on a terminal, and nothing elsewhere.
struct ImportProgress {
    private let total: Int
    private var done = 0
    private var shown = -1
    private let isTerminal = isatty(STDERR_FILENO) == 1

    init(total: Int) { self.total = total }

    mutating func step() { reach(done + 1) }

    /// - Parameter count: How many are done.
    mutating func reach(_ count: Int) {
        done = count
        guard isTerminal, total > 0, done * 100 / total != shown else { return }
        shown = done * 100 / total
        let bar = String(repeating: "#", count: shown / 4) + String(repeating: ".", count: 25 - shown / 4)
        FileHandle.standardError.write(Data("\r[\(bar)] \(done) of \(total)".utf8))
    }

    func finish() {
        if isTerminal, shown >= 0 { FileHandle.standardError.write(Data("\n".utf8)) }
    }
}

import Foundation
import WorkingKeys

/// What BBS+ needs beside a key: threads, since a call takes from 0.3 ms to 0.3 s, and generators.
struct BBSCompute: Sendable {
    let pool: ComputePool
    let generators: BBSGeneratorCache

    /// One core stays with everything else.
    init() {
        pool = ComputePool(width: ProcessInfo.processInfo.activeProcessorCount - 1)
        generators = BBSGeneratorCache()
    }
}

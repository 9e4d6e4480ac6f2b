import Foundation
import WorkingKeys

/// What BBS+ needs beside a key: threads, since a call takes from 0.5 ms to half a second, and generators.
struct BBSCompute: Sendable {
    let pool: ComputePool
    let generators: BBSGeneratorCache

    /// One core stays with everything else.
    init() {
        pool = ComputePool(width: ProcessInfo.processInfo.activeProcessorCount - 1)
        generators = BBSGeneratorCache()
    }
}

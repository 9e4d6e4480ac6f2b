import EnclaveLock
import HSMBridge
import SecretMemory
import Token

/// What the bridge adds to the bare token: the way to a session thread and back.
enum TokenCells {
    static func measure(uri: String) async throws {
        try await BenchToken.with(uri: uri) { try await measure($0) }
    }

    private static func measure(_ token: PKCS11Token) async throws {
        let secret = SharedSecret(try SecretBytes.random(count: 32))
        let context: [UInt8] = [1]
        let sealed = try await token.seal(secret, under: .rootLock, context: context)
        try await BatchTimer.measure("token: open 32 bytes through the bridge, one hop") {
            _ = try await token.open(sealed, under: .rootLock, context: context)
        }
        let key = try await token.generateResident(.p256)
        let digest = [UInt8](repeating: 0x5a, count: 32)
        try await BatchTimer.measure("token: resident P-256 sign through the bridge, one hop") {
            _ = try await token.sign(digest: digest, with: key)
        }
        for tasks in [8, 32] {
            try await concurrently("token: resident P-256 sign, each of \(tasks) tasks at once", tasks: tasks) {
                _ = try await token.sign(digest: digest, with: key)
            }
        }
    }

    /// Time per operation when many tasks share the token: the inverse of the rate.
    private static func concurrently(
        _ name: String, tasks: Int, _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        let turns = 500
        var best = UInt64.max
        for _ in 0..<5 {
            let start = MonotonicClock.now()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<tasks { group.addTask { for _ in 0..<turns { try await body() } } }
                try await group.waitForAll()
            }
            best = min(best, MonotonicClock.now() - start)
        }
        try MicroCell(name: name, nanoseconds: Double(best) / Double(tasks * turns)).report()
    }
}

import Synchronization

/// Lets requests that need the same document at the same time share one call to the vault.
///
/// Only the sealed bytes are shared: each request reads the key's own row, and so its state, by itself.
///
/// - Concurrency: any thread. A request that leaves does not end the call for the others.
final class DocumentReads: Sendable {
    private struct Read {
        let number: UInt64
        let task: Task<[UInt8]?, any Error>
    }

    private let reads = Mutex((next: UInt64(0), running: [KeyAddress: Read]()))

    func document(at address: KeyAddress, in vault: any KeyVault) async throws -> [UInt8]? {
        let read = reads.withLock { state -> Read in
            if let running = state.running[address] { return running }
            state.next += 1
            let number = state.next
            let task = Task { [weak self] () async throws -> [UInt8]? in
                defer { self?.finish(address, number) }
                return try await vault.read(address.key)
            }
            let read = Read(number: number, task: task)
            state.running[address] = read
            return read
        }
        return try await read.task.value
    }

    private func finish(_ address: KeyAddress, _ number: UInt64) {
        reads.withLock { state in
            if state.running[address]?.number == number { state.running[address] = nil }
        }
    }
}

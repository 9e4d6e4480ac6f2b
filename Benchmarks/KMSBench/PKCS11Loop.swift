import ArgumentParser
import CP11Kit
import Foundation
import Glibc
import SecretMemory
import Synchronization

/// Calls the token in a tight loop, from one process without the daemon.
struct PKCS11Loop: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pkcs11-loop",
        abstract: "Direct PKCS #11 loop: the rate the daemon is compared with.",
        discussion: "Makes its own keys on the token and destroys them. Prints one JSON object.")

    @Option(help: "PKCS #11 module to load.")
    var module: String

    @Option(help: "Label of the token.")
    var token: String

    @Option(help: "File that holds the user PIN.")
    var pinFile: String

    @Option(help: "Operation: \(LoopOperation.allCases.map(\.rawValue).joined(separator: ", ")).")
    var operation: LoopOperation

    @Option(help: "Threads, each with a session and a key of its own.")
    var threads = 1

    @Option(help: "Length of the run in seconds.")
    var seconds = 3.0

    func validate() throws {
        guard (1...64).contains(threads) else { throw ValidationError("--threads must be 1 to 64") }
        guard seconds > 0, seconds <= 600 else { throw ValidationError("--seconds must be above 0 and at most 600") }
    }

    func run() throws {
        let library = try BareModule(path: module)
        let slot = try library.slot(label: token)
        let keeper = try library.openSession(slot: slot)
        try logIn(library, keeper)
        let workers = try (0..<threads).map { _ in
            LoopWorker(
                module: library, session: try library.openSession(slot: slot),
                key: try LoopKey.generate(operation, in: keeper, of: library))
        }
        let start = MonotonicClock.now()
        let cpu = MonotonicClock.processorTime()
        let results = Self.runAll(workers, until: start + UInt64(seconds * 1e9))
        let elapsed = Double(MonotonicClock.now() - start) / 1e9
        let used = MonotonicClock.processorTime() - cpu
        for worker in workers { try worker.key.destroy(in: keeper, of: library) }
        let durations = try results.flatMap { try $0.get() }
        StandardOutput.line(
            try LoopReport(operation: operation.rawValue, elapsed: elapsed, cpu: used, durations: durations).json())
    }

    private func logIn(_ library: BareModule, _ session: CK_SESSION_HANDLE) throws {
        let pin = try readPIN()
        let result = pin.withUnsafeBytes { bytes in
            // C_Login takes a pointer to mutable bytes but only reads them (PKCS #11 v2.40, section 5.6).
            let start = UnsafeMutablePointer(mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
            return library.functions.pointee.C_Login(session, CK_USER_TYPE(CKU_USER), start, CK_ULONG(bytes.count))
        }
        guard result == CKR_USER_ALREADY_LOGGED_IN else { return try BenchError.check("C_Login", result) }
    }

    /// Reads the PIN file into locked memory, without a newline at its end.
    private func readPIN() throws -> SecretBytes {
        let descriptor = open(pinFile, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw BenchError("could not open the PIN file \(pinFile): errno \(errno)") }
        defer { close(descriptor) }
        return try SecretBytes.make(capacity: 256) { buffer in
            let count = read(descriptor, buffer.baseAddress, buffer.count)
            guard count > 0 else { throw BenchError("the PIN file \(pinFile) is empty or unreadable") }
            return buffer[count - 1] == UInt8(ascii: "\n") ? count - 1 : count
        }
    }

    private static func runAll(
        _ workers: [LoopWorker], until deadline: UInt64
    ) -> [Result<[UInt32], any Error>] {
        guard workers.count > 1 else { return workers.map { worker in Result { try worker.run(until: deadline) } } }
        let results = Mutex<[Result<[UInt32], any Error>]>([])
        let group = DispatchGroup()
        for worker in workers {
            group.enter()
            Thread.detachNewThread {
                let result = Result { try worker.run(until: deadline) }
                results.withLock { $0.append(result) }
                group.leave()
            }
        }
        group.wait()
        return results.withLock { $0 }
    }
}

import ArgumentParser
import HSMBridge
import Token

/// Signs with a resident key through the bridge in a loop, without HTTP; for profiles.
struct TokenLoop: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token-loop",
        abstract: "Resident P-256 signatures through the bridge, without HTTP.")

    @Option(help: "Token URI with module-path and pin-source.")
    var tokenURI: String

    @Option(help: "Requests at once.")
    var tasks = 32

    @Option(help: "Length of the run in seconds.")
    var seconds = 3.0

    func run() async throws {
        try await BenchToken.with(uri: tokenURI) { try await sign($0) }
    }

    private func sign(_ token: PKCS11Token) async throws {
        let key = try await token.generateResident(.p256)
        let digest = [UInt8](repeating: 0x5a, count: 32)
        let start = MonotonicClock.now()
        let deadline = start + UInt64(seconds * 1e9)
        let turns = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<tasks {
                group.addTask {
                    var turns = 0
                    while MonotonicClock.now() < deadline {
                        _ = try await token.sign(digest: digest, with: key)
                        turns += 1
                    }
                    return turns
                }
            }
            return try await group.reduce(0, +)
        }
        let rate = Double(turns) / (Double(MonotonicClock.now() - start) / 1e9)
        StandardOutput.line("\(Int(rate)) signatures per second, \(tasks) at once")
    }
}

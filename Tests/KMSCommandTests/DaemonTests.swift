import Foundation
import Glibc
import TestSupport
import TestTokens
import Testing

/// The built program as an operator meets it.
@Suite("Daemon", .serialized, .timeLimit(.minutes(10)))
struct DaemonTests {
    @Test func initStartSignSIGTERMWithExitCode0StartAgain() throws {
        let home = try TemporaryFolder()
        let token = try SoftHSMToken.make()
        let environment = Self.environment(home, token)
        let initialised = try Command.run(Self.program, ["init", "--output", "json"], environment: environment)
        #expect(initialised.status == 0, "\(initialised.errors)")
        #expect(
            try FileManager.default.attributesOfItem(atPath: home.path + "/manifest.json")[.posixPermissions] as? Int
                == 0o600)
        #expect(try Command.run(Self.program, ["init"], environment: environment).status == 1)

        var key: String?
        for _ in 0..<2 {
            let daemon = try Daemon(Self.program, environment: environment)
            let base = try daemon.waitUntilReady()
            if key == nil {
                let keystore =
                    try Self.post(base + "/v1/keystores", #"{"controller":"did:example:me"}"#)["key_store_url"] ?? ""
                key = try Self.post(base + keystore + "/keys", #"{"key_type":"ED25519"}"#)["key_url"]
            }
            let path = try #require(key)
            #expect(try Self.post(base + path + "/sign", #"{"message":"aGVsbG8="}"#)["signature"]?.count == 88)
            let second = try Command.run(Self.program, ["start", "--host", "127.0.0.1:0"], environment: environment)
            #expect(second.status == 69 && second.errors.contains("Another kmsd"))
            let doctor = try Command.run(Self.program, ["doctor"], environment: environment)
            #expect(doctor.status == 0, "\(doctor.text)")
            #expect(daemon.terminate() == 0)
        }
        let keystores = try Command.run(
            Self.program, ["keystore", "list", "--output", "json"], environment: environment)
        #expect(keystores.status == 0 && keystores.text.contains("did:example:me"))
        let lint = try Command.run(Self.program, ["token", "lint"], environment: environment)
        #expect(lint.status == 0, "\(lint.text)")
    }

    @Test func anInitThatWasCutOffIsClearedAwayByTheNextOne() throws {
        let home = try TemporaryFolder()
        let token = try SoftHSMToken.make()
        let environment = Self.environment(home, token)
        #expect(try Command.run(Self.program, ["init"], environment: environment).status == 0)
        let manifest = try String(contentsOfFile: home.path + "/manifest.json", encoding: .utf8)
        let instance = try #require(manifest.firstMatch(of: /"instance" : "([0-9a-f]{32})"/)?.output.1)
        // As if it had died between the last key and the manifest.
        try FileManager.default.removeItem(atPath: home.path + "/manifest.json")
        try Data("\(instance)\n".utf8).write(to: URL(fileURLWithPath: home.path + "/init.journal"))
        let again = try Command.run(Self.program, ["init"], environment: environment)
        #expect(again.status == 0 && again.text.contains("Cleared away"), "\(again.text)\(again.errors)")
        #expect(!FileManager.default.fileExists(atPath: home.path + "/init.journal"))
        let lint = try Command.run(Self.program, ["token", "lint", "--output", "json"], environment: environment)
        #expect(lint.status == 0, "\(lint.text)")
        #expect(lint.text.components(separatedBy: "\"label\" : \"kmsd/").count == 7, "six keys")
    }

    @Test func aClientThatSendsItsBodyDropByDropIsCutOffAndTheLogDoesNotCallItAFailure() throws {
        let home = try TemporaryFolder()
        let token = try SoftHSMToken.make()
        var environment = Self.environment(home, token)
        environment["KMS_REQUEST_TIMEOUT"] = "1s"
        #expect(try Command.run(Self.program, ["init"], environment: environment).status == 0)
        let daemon = try Daemon(Self.program, environment: environment)
        let port = try #require(UInt16(try daemon.waitUntilReady().split(separator: ":").last ?? ""))
        let client = try SlowClient(port: port)
        client.send("POST /v1/keystores HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
        let start = ContinuousClock.now
        // At ten bytes a second the body would take a hundred seconds.
        while client.isOpen, ContinuousClock.now - start < .seconds(60) {
            client.send(" ")
            usleep(100_000)
        }
        #expect(!client.isOpen)
        #expect(try Self.post("http://127.0.0.1:\(port)/v1/keystores", #"{"controller":"a"}"#)["key_store_url"] != nil)
        #expect(daemon.terminate() == 0)
        let log = try daemon.text()
        #expect(!log.contains(" error "), "\(log)")
    }

    @Test func exitCodesTellMistakesApart() throws {
        let home = try TemporaryFolder()
        let token = try SoftHSMToken.make()
        let environment = Self.environment(home, token)
        for (arguments, status, words) in [
            (["strat"], 64, "Unexpected"), (["start", "--hots", "x"], 64, "Unknown option"),
            (["start"], 78, "kmsd init"), (["start", "--host", "0.0.0.0:0"], 78, "not authorised"),
            (["start", "--lock-ttl", "soon"], 78, "--lock-ttl"),
            (["start", "--config", "/nowhere.yaml"], 78, "/nowhere.yaml"),
            (
                ["token", "lint", "--token-uri", "\(token.uri)".replacing(token.label, with: "stranger")], 69,
                "stranger"
            ),
            (["doctor"], 2, ""), (["completion", "bash"], 0, ""), (["--help"], 0, ""),
        ] {
            let result = try Command.run(Self.program, arguments, environment: environment)
            #expect(result.status == Int32(status), "\(arguments): \(result.errors)")
            #expect(words.isEmpty || result.errors.contains(words), "\(arguments): \(result.errors)")
        }
        let failed = try Command.run(
            Self.program, ["start", "--output", "json", "--host", "x"], environment: environment)
        #expect(failed.text.contains(#""code" : "configuration""#))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: home.path)
        #expect(try Command.run(Self.program, ["start"], environment: environment).status == 77)
    }

    // MARK: Fixture

    private static let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appendingPathComponent("kmsd").path

    private static func environment(_ home: TemporaryFolder, _ token: SoftHSMToken) -> [String: String] {
        token.environment.merging([
            "KMSD_HOME": home.path, "KMS_TOKEN_URI": "\(token.uri)", "KMS_HOST": "127.0.0.1:0",
            "SWIFT_BACKTRACE": "enable=no",
        ]) { _, new in new }
    }

    private static func post(_ url: String, _ body: String) throws -> [String: String] {
        let result = try Command.succeed("curl", ["-s", "-d", body, url])
        return (try JSONSerialization.jsonObject(with: Data(result.output)) as? [String: String?] ?? [:])
            .compactMapValues { $0 }
    }
}

/// A running daemon, ended with the value.
private final class Daemon {
    private let process = Process()
    private let log: URL

    init(_ program: String, environment: [String: String]) throws {
        log = FileManager.default.temporaryDirectory.appendingPathComponent("kmsd-log-\(UUID().uuidString)")
        try Data().write(to: log)
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = ["start"]
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
        let handle = try FileHandle(forWritingTo: log)
        process.standardOutput = handle
        process.standardError = handle
        process.standardInput = FileHandle.nullDevice
        try process.run()
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        try? FileManager.default.removeItem(at: log)
    }

    /// The base URL, once the line `kmsd ready` stands alone.
    func waitUntilReady() throws -> String {
        for _ in 0..<6_000 {
            let text = try String(contentsOf: log, encoding: .utf8)
            if text.split(separator: "\n").contains("kmsd ready"), let match = text.firstMatch(of: /Base URL: (\S+)/) {
                return String(match.output.1)
            }
            guard process.isRunning else { throw DaemonFailure(description: "kmsd ended: \(text)") }
            usleep(20_000)
        }
        throw DaemonFailure(description: "kmsd is not ready: \(try String(contentsOf: log, encoding: .utf8))")
    }

    func text() throws -> String { try String(contentsOf: log, encoding: .utf8) }

    func terminate() -> Int32 {
        process.terminate()
        process.waitUntilExit()
        return process.terminationStatus
    }
}

private struct DaemonFailure: Error {
    var description: String
}

/// A bare connection to the daemon.
private final class SlowClient {
    private let descriptor: Int32
    private(set) var isOpen = true

    init(port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw DaemonFailure(description: "connect: errno \(errno)") }
    }

    deinit { close(descriptor) }

    /// Sends, and notices when the other side has closed.
    func send(_ text: String) {
        var byte: UInt8 = 0
        let received = recv(descriptor, &byte, 1, Int32(MSG_DONTWAIT))
        let sent = Glibc.send(descriptor, text, text.utf8.count, Int32(MSG_NOSIGNAL))
        if received == 0 || sent < 0 { isOpen = false }
    }
}

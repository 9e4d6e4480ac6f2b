public import Foundation
import Glibc

/// A swtpm process of one test with a state directory of its own.
public final class SoftTPM: @unchecked Sendable {
    // @unchecked: `process` changes in `start` and `kill` only, which a test calls one after the other.
    /// Where the TPM's secrets are.
    public let state: URL
    /// The Unix socket for commands; the control socket has `.ctrl` appended.
    public let socket: String
    /// The secret of the keys' authorization values.
    public let pinFile: URL
    private var process: LeashedProcess?

    /// Makes a TPM and starts it.
    public init() throws {
        // A socket's path must be short.
        var template = Array("/tmp/kmst.XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw Command.Failure(description: "no folder for swtpm") }
        let folder = URL(fileURLWithPath: String(cString: made))
        socket = folder.path + "/s"
        state = folder.appendingPathComponent("state")
        pinFile = folder.appendingPathComponent("pin")
        try FileManager.default.createDirectory(
            at: state, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        try writePIN("a secret of 24 characters")
        try start()
    }

    deinit {
        kill()
        try? FileManager.default.removeItem(at: state.deletingLastPathComponent())
    }

    /// Replaces the secret in the file.
    public func writePIN(_ pin: String) throws {
        try Data(pin.utf8).write(to: pinFile)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: pinFile.path)
    }

    /// Starts swtpm on the state that is there: a power cycle, after ``kill()``.
    public func start() throws {
        process = try LeashedProcess([
            "swtpm", "socket", "--tpm2", "--tpmstate", "dir=\(state.path)", "--server", "type=unixio,path=\(socket)",
            "--ctrl", "type=unixio,path=\(socket).ctrl", "--flags", "not-need-init,startup-clear",
        ])
        for _ in 0..<12_000 where !isListening {
            guard isRunning else { break }
            Thread.sleep(forTimeInterval: 0.01)
        }
        guard isRunning, isListening else {
            throw Command.Failure(description: "swtpm did not start; is the package swtpm installed?")
        }
    }

    /// Ends swtpm at once, as a power failure does.
    public func kill() {
        guard let ended = process else { return }
        ended.end()
        process = nil
        try? FileManager.default.removeItem(atPath: socket)
        try? FileManager.default.removeItem(atPath: socket + ".ctrl")
    }

    private var isListening: Bool { UnixSocket.isListening(at: socket) }

    private var isRunning: Bool { process?.isRunning ?? false }

    /// Runs one of tpm2-tools on it and returns what it prints.
    @discardableResult
    public func tool(_ name: String, _ arguments: [String]) throws -> String {
        let answer = try Command.succeed(name, arguments, environment: ["TPM2TOOLS_TCTI": "swtpm:path=\(socket)"])
        return String(decoding: answer.output, as: UTF8.self)
    }
}

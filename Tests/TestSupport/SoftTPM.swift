public import Foundation
import Glibc

/// A swtpm process of one test with a state directory of its own.
public final class SoftTPM: @unchecked Sendable {
    // @unchecked: `process` and `lifeline` change in `start` and `kill` only, which a test calls one after the other.
    /// Where the TPM's secrets are.
    public let state: URL
    /// The Unix socket for commands; the control socket has `.ctrl` appended.
    public let socket: String
    /// The secret of the keys' authorization values.
    public let pinFile: URL
    private var process: pid_t = 0
    private var lifeline: Int32 = -1

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
        try spawn([
            "swtpm", "socket", "--tpm2", "--tpmstate", "dir=\(state.path)", "--server", "type=unixio,path=\(socket)",
            "--ctrl", "type=unixio,path=\(socket).ctrl", "--flags", "not-need-init,startup-clear",
        ])
        for _ in 0..<500 where !isListening {
            guard isRunning else { break }
            Thread.sleep(forTimeInterval: 0.01)
        }
        guard isRunning, isListening else {
            throw Command.Failure(description: "swtpm did not start; is the package swtpm installed?")
        }
    }

    /// Ends swtpm at once, as a power failure does.
    public func kill() {
        guard process > 0 else { return }
        // A line, since a child of another test may have got hold of this end too.
        write(lifeline, "\n", 1)
        close(lifeline)
        waitpid(process, nil, 0)
        process = 0
        try? FileManager.default.removeItem(atPath: socket)
        try? FileManager.default.removeItem(atPath: socket + ".ctrl")
    }

    /// Whether a connection is accepted; the socket is there some time before.
    private var isListening: Bool {
        let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: socket.utf8) }
        return withUnsafeBytes(of: &address) { raw in
            connect(descriptor, raw.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(raw.count)) == 0
        }
    }

    private var isRunning: Bool { process > 0 && waitpid(process, nil, WNOHANG) == 0 }

    /// A shell that kills its child when its standard input ends, so whatever ends us ends swtpm. It keeps no other
    /// descriptor of ours: one that it kept would hold up whoever waits for another child's end.
    private static let keeper = """
        for f in /proc/$$/fd/*; do n=${f##*/}; [ "$n" -le 2 ] || eval "exec $n>&-"; done
        "$@" </dev/null & child=$!
        read -r _
        kill -9 $child; wait $child
        """

    private func spawn(_ arguments: [String]) throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw Command.Failure(description: "no pipe for swtpm") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[0]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[0], 0)
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var pointers = (["bash", "-c", Self.keeper, "bash"] + arguments).map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        guard posix_spawnp(&process, "bash", &actions, nil, &pointers, environ) == 0 else {
            close(ends[1])
            throw Command.Failure(description: "bash could not be started")
        }
        lifeline = ends[1]
    }

    /// Runs one of tpm2-tools on it and returns what it prints.
    @discardableResult
    public func tool(_ name: String, _ arguments: [String]) throws -> String {
        let answer = try Command.succeed(name, arguments, environment: ["TPM2TOOLS_TCTI": "swtpm:path=\(socket)"])
        return String(decoding: answer.output, as: UTF8.self)
    }
}

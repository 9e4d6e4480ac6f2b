import Foundation
import Glibc

/// A child process that ends when we do, whatever ends us.
package final class LeashedProcess: @unchecked Sendable {
    // @unchecked: `leash` changes in `end` only, which a test calls once.
    private let process: pid_t
    private var leash: Int32

    /// A shell that kills its child when its standard input ends, so whatever ends us ends the child. It keeps no other
    /// descriptor of ours: one that it kept would hold up whoever waits for another child's end.
    private static let keeper = """
        for f in /proc/$$/fd/*; do n=${f##*/}; [ "$n" -le 2 ] || eval "exec $n>&-"; done
        "$@" </dev/null & child=$!
        read -r _
        kill -9 $child; wait $child
        """

    /// Starts a program; its output goes nowhere.
    package init(_ arguments: [String], environment: [String: String] = [:]) throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw Command.Failure(description: "no pipe for \(arguments[0])") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[0]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[0], 0)
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var pointers = (["bash", "-c", Self.keeper, "bash"] + arguments).map { strdup($0) } + [nil]
        let variables = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
        var settings = variables.map { strdup("\($0)=\($1)") } + [nil]
        defer { for pointer in pointers + settings { free(pointer) } }
        var started: pid_t = 0
        guard posix_spawnp(&started, "bash", &actions, nil, &pointers, &settings) == 0 else {
            close(ends[1])
            throw Command.Failure(description: "bash could not be started")
        }
        process = started
        leash = ends[1]
    }

    deinit { end() }

    /// Ends it at once and waits for that.
    package func end() {
        guard leash >= 0 else { return }
        // A line, since a child of another test may have got hold of this end too.
        write(leash, "\n", 1)
        close(leash)
        leash = -1
        waitpid(process, nil, 0)
    }

    package var isRunning: Bool { leash >= 0 && waitpid(process, nil, WNOHANG) == 0 }
}

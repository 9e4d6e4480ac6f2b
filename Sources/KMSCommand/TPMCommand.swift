import ArgumentParser
import Encodings
import Foundation
import Glibc
import KMSConfiguration
import KMSDaemon
import TPMBridge
import Token

/// `kmsd tpm`.
struct TPMCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tpm",
        abstract: "Look at the TPM's keys, and prepare a planned change of the machine's state.",
        subcommands: [Status.self, Reseal.self])

    /// `kmsd tpm status`.
    struct Status: Verb {
        static let configuration = CommandConfiguration(
            commandName: "status",
            abstract: "Show in which states of the machine the keys work.",
            discussion: """
                Prints the registers (PCRs) that the keys are bound to, their values now and every approved state. If \
                the state is not approved it says which registers differ, and ends with code 78.
                """)

        @OptionGroup var common: CommonOptions

        private struct Report: Encodable {
            var registers: String?
            var current: [String: String] = [:]  // exact: names of settings and members, this program's own.
            var approved: [[String: String]] = []  // exact: names of settings and members, this program's own.
            var warnings: [String] = []
        }

        func work() async throws -> ExitStatus {
            let (policy, warnings) = try await TokenWork.withTPM(common.configuration()) { token in
                let policy = try await token.pcrPolicy()
                guard let policy else { return (policy, [String]()) }
                return (policy, try await token.weakness(of: policy.current).warnings)
            }
            var report = Report(warnings: warnings)
            if let policy {
                report.registers = "\(policy.current.selection)"
                report.current = policy.current.hexadecimal
                report.approved = policy.approved.map(\.hexadecimal)
            }
            if common.output == .json {
                try Terminal.print(json: report)
            } else if let policy {
                Terminal.print("The keys are bound to \(policy.current.selection).")
                for (number, state) in policy.approved.enumerated() {
                    Terminal.print("approved state \(number + 1)\(state == policy.current ? ", the current one" : "")")
                    Terminal.print(state.listing)
                }
                for warning in warnings { Terminal.complain("kmsd: warning: \(warning)") }
            } else {
                Terminal.print("The keys work in every state of the machine: `kmsd init` was run without 'pcrs='.")
            }
            return .ok
        }
    }

    /// `kmsd tpm reseal`.
    struct Reseal: Verb {
        static let configuration = CommandConfiguration(
            commandName: "reseal",
            abstract: "Approve the state that a planned change will lead to.",
            discussion: """
                Run it before the change, in an approved state. Afterwards both states are approved, so the machine \
                may also go back. No key and no record in the database changes. Registers that are not named are \
                expected to keep their values. A second run changes nothing.

                  kmsd tpm reseal --expect 7=0x65ca...
                  reboot
                  kmsd tpm reseal --only-current

                The last one drops the old state from the record. --pcr-values FILE takes what tpm2_pcrread and \
                tpm2_eventlog print. On a bare TPM (not /dev/tpmrm0) the daemon must be stopped meanwhile.
                """)

        @OptionGroup var common: CommonOptions
        @Option(help: "Expected values: a file as tpm2_pcrread prints it.") var pcrValues: String?
        @Option(help: "An expected value, INDEX=HEX; may be repeated.") var expect: [String] = []
        @Flag(help: "Drop every approved state but the current one.") var onlyCurrent = false

        private struct Report: Encodable {
            var registers: String
            var approved: Int
            var added: Int
            var dropped: Int
        }

        func validate() throws {
            let isExpecting = pcrValues != nil || !expect.isEmpty
            guard isExpecting != onlyCurrent else {
                throw ValidationError(
                    "give --pcr-values or --expect for the new state, or --only-current after the change")
            }
        }

        func work() async throws -> ExitStatus {
            let settings = try common.configuration()
            try HomeDirectory.check(settings.home)
            let turn = try FileTurn(settings.home)
            let report = try await TokenWork.withTPM(settings) { token in
                guard let policy = try await token.pcrPolicy() else {
                    throw CommandFailure(
                        .configuration, code: "not-bound",
                        "The keys work in every state of the machine; `kmsd init` binds them, with 'pcrs=' in token-uri."
                    )
                }
                tell("The state of \(policy.current.selection) is approved.")
                var report = Report(
                    registers: "\(policy.current.selection)", approved: policy.approved.count, added: 0, dropped: 0)
                if onlyCurrent {
                    report.dropped = try await token.dropOtherApprovals()
                } else {
                    let expected = try expectation(policy.current)
                    tell("Approving:\n\(expected.listing)")
                    for warning in try await token.weakness(of: expected).warnings {
                        Terminal.complain("kmsd: warning: \(warning)")
                    }
                    report.added = try await token.approve(expected) ? 1 : 0
                }
                report.approved += report.added - report.dropped
                return report
            }
            withExtendedLifetime(turn) {}
            switch common.output {
            case .json: try Terminal.print(json: report)
            case .text:
                if report.added + report.dropped == 0 { Terminal.print("Nothing was to be changed.") }
                if report.dropped > 0 { Terminal.print("Dropped \(report.dropped) from the record.") }
                Terminal.print("\(report.approved) approved; the keys are unchanged.")
            }
            return .ok
        }

        private func tell(_ line: String) {
            if common.output == .text { Terminal.print(line) }
        }

        /// The current state but for what is expected to change.
        private func expectation(_ current: PCRValues) throws -> PCRValues {
            var changes: [Int: [UInt8]] = [:]
            if let pcrValues {
                changes = try PCRValues(
                    parsing: String(
                        decoding: try InputFile.read(pcrValues, upTo: PCRValues.longestText), as: UTF8.self),
                    for: current.selection
                ).values
            }
            for text in expect {
                let parts = text.splitExactly(at: "=")
                guard parts.count == 2, let index = Int(parts[0]), current.values[index] != nil,
                    let value = PCRValues.value(parts[1], current.bank)
                else {
                    throw CommandFailure(
                        .usage, code: "usage",
                        "--expect is INDEX=HEX, a register of \(current.selection) and its whole value.")
                }
                guard pcrValues != nil || changes[index] == nil else {
                    throw CommandFailure(.usage, code: "usage", "--expect names register \(index) twice.")
                }
                changes[index] = value
            }
            guard let changes = PCRValues(current.bank, changes), let expected = current.replacing(changes) else {
                throw CommandFailure(.usage, code: "usage", "Nothing is expected of \(current.selection).")
            }
            return expected
        }
    }
}

/// The right to change the record of approved states: one process at a time, and beside a running daemon.
private struct FileTurn: ~Copyable {
    private let descriptor: Int32

    init(_ home: String) throws {
        let opened = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard opened >= 0, flock(opened, LOCK_EX | LOCK_NB) == 0 else {
            if opened >= 0 { close(opened) }
            throw CommandFailure(.unavailable, code: "home", "Another `kmsd tpm reseal` is at work.")
        }
        // Not before: a throw would run `deinit`, and what is closed twice is somebody else's the second time.
        descriptor = opened
    }

    // Unlocked first: a child that another thread has forked holds the descriptor until it runs its program.
    deinit {
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }
}

extension PCRValues {
    /// By register in decimal.
    fileprivate var hexadecimal: [String: String] {  // exact: names of settings and members, this program's own.
        // exact: names of settings and members, this program's own.
        [String: String](uniqueKeysWithValues: values.map { ("\($0.key)", Hexadecimal.encode($0.value)) })
    }

    /// As `tpm2_pcrread` prints them.
    fileprivate var listing: String {
        selection.indices.map { "    \($0) : 0x\(Hexadecimal.encode(values[$0] ?? []))" }
            .joined(separator: "\n")
    }
}

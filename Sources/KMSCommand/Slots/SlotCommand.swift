import ArgumentParser
import EnclaveLock
import Encodings
import HybridSealing
import KMSConfiguration
import KMSDaemon
import Keystores
import Token

/// `kmsd slot`.
struct SlotCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "slot",
        abstract: "Lock slots: further ways to open the keystores when the token is away or lost.",
        subcommands: [Add.self, List.self, Test.self, Fill.self, Remove.self, Retire.self, Recipient.self])

    /// What opens slots, for the verbs that open one.
    struct Options: ParsableArguments {
        @OptionGroup(title: "Locks") var locks: LockOptions
        @Option(name: .customLong("secret-lock-type"), help: .setting("secret-lock-type")) var secretLockType: String?
        @Option(name: .customLong("secret-lock-key-path"), help: .setting("secret-lock-key-path"))
        var secretLockKeyPath: String?

        // exact: names of settings and members, this program's own.
        var flags: [String: String] {
            let own: [String: String?] = [  // exact: names of settings and members, this program's own.
                "secret-lock-type": secretLockType, "secret-lock-key-path": secretLockKeyPath,
            ]
            return locks.flags.merging(own.compactMapValues { $0 }) { first, _ in first }
        }
    }

    /// A slot as it is shown.
    struct Shown: Encodable {
        var slot: Int
        var kind: String
        var identity: String
        var created: String
        var isOwn: Bool

        init(_ slot: LockSlot, isOwn: Bool) {
            self.slot = slot.id
            kind = slot.kind.name
            identity = slot.identity
            created = Timestamp(seconds: slot.createdAt / 1000).rfc3339(digits: 0)
            self.isOwn = isOwn
        }

        var line: String {
            "slot \(slot)  \(kind)  \(identity)  made \(created)\(isOwn ? "  (the daemon's own lock)" : "")"
        }
    }

    /// How far the slots reach, in sentences.
    static func sentences(_ reach: RecoveryReach) -> String {
        var lines = ["Any slot opens \(reach.reached) keystores."]
        if reach.waitingTotal > 0 {
            let kinds = reach.waiting.map { "\($0.value) by '\($0.key)'" }.sorted().joined(separator: ", ")
            lines.append("Only their own lock opens: \(kinds); `kmsd slot fill` reaches them.")
        }
        if reach.byShares > 0 { lines.append("Locked by their callers' shares, and stay so: \(reach.byShares).") }
        if reach.damaged > 0 { lines.append("Damaged, to be restored from a backup: \(reach.damaged).") }
        return lines.joined(separator: "\n")
    }

    /// `kmsd slot list`.
    struct List: Verb {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "Show the slots and how many keystores they open.",
            discussion:
                "Reads files only, so it may run beside the daemon. What it shows is proved by `kmsd slot test`.")

        @OptionGroup var common: CommonOptions

        private struct Report: Encodable {
            var slots: [Shown]
            var reach: RecoveryReach
        }

        func work() async throws -> ExitStatus {
            let settings = try common.configuration()
            let work = SlotWork(settings)
            guard let (record, reach) = try await work.list() else {
                switch common.output {
                case .json: try Terminal.print(json: Report(slots: [], reach: RecoveryReach()))
                case .text: Terminal.print("This home has no lock slots; `kmsd slot add` makes the first.")
                }
                return .ok
            }
            let slots = record.slots.map { Shown($0, isOwn: work.isOwn($0, of: record)) }
            switch common.output {
            case .json: try Terminal.print(json: Report(slots: slots, reach: reach))
            case .text:
                for slot in slots { Terminal.print(slot.line) }
                Terminal.print(SlotCommand.sentences(reach))
            }
            return .ok
        }
    }

    /// `kmsd slot fill`.
    struct Fill: Verb {
        static let configuration = CommandConfiguration(
            commandName: "fill",
            abstract: "Let the slots open every keystore, and go on with that after an interruption.",
            discussion: """
                `kmsd slot add` does it, too. It is for keystores that were made before there were slots, and for a run that \
                was killed: what is reached already is passed over. The daemon must not run meanwhile.
                """)

        @OptionGroup var common: CommonOptions
        @OptionGroup var options: Options

        func work() async throws -> ExitStatus {
            let reach = try await SlotCommand.fill(SlotWork(try common.configuration(adding: options.flags)))
            switch common.output {
            case .json: try Terminal.print(json: reach)
            case .text: Terminal.print(SlotCommand.sentences(reach))
            }
            return reach.damaged == 0 ? .ok : .findings
        }
    }

    /// `kmsd slot remove`.
    struct Remove: Verb {
        static let configuration = CommandConfiguration(
            commandName: "remove",
            abstract: "Remove a slot.",
            discussion: """
                Its passphrase or token opens nothing more of this home. It still opens a copy of slots.json from before, with \
                a copy of the database from before: take care of backups. The daemon must not run meanwhile.

                  kmsd slot remove 2
                """)

        @OptionGroup var common: CommonOptions
        @OptionGroup var options: Options
        @Argument(help: "The slot's number.") var slot: Int

        func work() async throws -> ExitStatus {
            let work = SlotWork(try common.configuration(adding: options.flags))
            let removed = Shown(try await work.remove(slot), isOwn: false)
            switch common.output {
            case .json: try Terminal.print(json: removed)
            case .text:
                Terminal.print(
                    "Slot \(removed.slot) (\(removed.kind)) is removed. With a copy of slots.json from before it still opens "
                        + "keystores, later ones too: destroy copies."
                )
            }
            return .ok
        }
    }

    /// `kmsd slot retire`.
    struct Retire: Verb {
        static let configuration = CommandConfiguration(
            commandName: "retire",
            abstract: "Tell what still needs the token, signed by its audit key.",
            discussion: """
                Counts what no lock slot opens: keystores without a slot (`kmsd slot fill` reaches them), resident keys, split \
                keys. Exit code 2: something does, and the token is not to be given away. Code 0: every record opens with the \
                other slots; the record of decisions says so, and `without-token: true` lets the daemon serve without the \
                token. The daemon must not run meanwhile.
                """)

        @OptionGroup var common: CommonOptions
        @OptionGroup var options: Options

        func work() async throws -> ExitStatus {
            let signed = try await SlotWork(common.configuration(adding: options.flags)).needs()
            let isNeeded = signed.needs.total > 0
            switch common.output {
            case .json: try Terminal.print(json: signed)
            case .text:
                for (name, count) in signed.needs.named where count > 0 { Terminal.print("\(count) \(name)") }
                Terminal.print(
                    isNeeded
                        ? "The token \(signed.token) is still needed."
                        : "Nothing needs the token \(signed.token) any more.")
                Terminal.print("signed by the audit key \(signed.key): \(signed.signature)")
            }
            return isNeeded ? .findings : .ok
        }
    }

    /// Fills with a line of progress.
    static func fill(_ work: SlotWork) async throws -> RecoveryReach {
        let total = try await work.list().map { $0.reach.reached + $0.reach.waitingTotal + $0.reach.byShares } ?? 0
        let bar = SharedProgress(total: total)
        let outcome: Result<RecoveryReach, any Error>
        do {
            outcome = .success(try await work.fill { bar.advance($0) })
        } catch {
            outcome = .failure(error)
        }
        bar.finish()
        return try outcome.get()
    }
}

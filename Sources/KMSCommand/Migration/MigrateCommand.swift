import ArgumentParser
import EnclaveLock
import Encodings
import KMSConfiguration
import KMSDaemon
import Migration
import Token

/// `kmsd migrate`.
struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Move this home from its token to another one, with proof.",
        discussion: """
            What the token seals (locks of keystores, DID keys, split keys, keys of the decryption API, the seals of the \
            databases, lock slots) gets a second form that another token opens, beside the first; both are proved to be the \
            same; then the second ones take the place of the first ones and the other token becomes this home's. Until \
            `finish` nothing of the home is changed and the daemon may serve between the steps.

              kmsd migrate plan   --to 'pkcs11:token=new?…'
              kmsd migrate run    --to 'pkcs11:token=new?…'
              kmsd migrate verify
              kmsd migrate finish

            Killed at any moment, each goes on when it is run again. `rollback` gives the migration up, until `finish`.
            """,
        subcommands: [Plan.self, Run.self, Status.self, Verify.self, Finish.self, Rollback.self])

    /// What all of them but `status` take.
    struct Options: ParsableArguments {
        @Option(
            help: """
                The other token, as --token-uri names this home's, with its own pin-source. A run writes it down; later \
                steps need it only if it has changed.
                """)
        var to: String?
        @OptionGroup var slots: SlotCommand.Options
    }

    static func work(_ common: CommonOptions, _ options: Options) throws -> MigrationWork {
        MigrationWork(try common.configuration(adding: options.slots.flags), target: options.to)
    }

    /// Shows a token by its label and number.
    static func name(_ token: TokenIdentity) -> String { "'\(token.label)' (\(token.serial))" }

    /// Runs a step with a line of progress.
    static func withProgress<R>(
        _ body: (@escaping @Sendable (Int, Int) -> Void) async throws -> R
    ) async throws -> R {
        let bar = MigrationProgress()
        defer { bar.finish() }
        return try await body { bar.advance($0, of: $1) }
    }
}

extension MigrateCommand {
    /// `kmsd migrate plan`.
    struct Plan: Verb {
        static let configuration = CommandConfiguration(
            commandName: "plan",
            abstract: "Say what would move, how, where it is in the clear meanwhile, and what cannot move.",
            discussion:
                "Looks at both tokens and changes neither. Exit code 2: there is what cannot move, so nothing would.")

        @OptionGroup var common: CommonOptions
        @OptionGroup var options: Options

        func work() async throws -> ExitStatus {
            let plan = try await MigrateCommand.work(common, options).plan()
            switch common.output {
            case .json: try Terminal.print(json: plan)
            case .text:
                Terminal.print("from \(MigrateCommand.name(plan.source)) to \(MigrateCommand.name(plan.target))")
                for route in plan.routes { Terminal.print("  \(route.count) \(route.kind)  \(route.route)") }
                if !plan.routes.isEmpty { Terminal.print("  in the clear: \(MigrationPlan.Route.words(plan))") }
                for rest in plan.anew {
                    Terminal.print("  made anew: \(rest.kind), since \(rest.reason); \(rest.instead)")
                }
                for rest in plan.stays {
                    Terminal.print("  cannot move: \(rest.count) \(rest.kind): \(rest.reason)")
                    Terminal.print("      instead: \(rest.instead)")
                }
                Terminal.print(
                    plan.stays.isEmpty
                        ? "\(plan.total) records would move." : "Nothing would move while that is there.")
            }
            return plan.stays.isEmpty ? .ok : .findings
        }
    }

    /// `kmsd migrate run`.
    struct Run: Verb {
        static let configuration = CommandConfiguration(
            commandName: "run",
            abstract: "Make the daemon's keys on the other token, and give every record its form for it.",
            discussion: """
                This home's token opens everything as before. Run it again to go on after an interruption, and for what was \
                made or changed since. The daemon must not run meanwhile. A PIN is tried once.
                """)

        @OptionGroup var common: CommonOptions
        @OptionGroup var options: Options
        @Flag(help: "Take a token whose key for results of decryptions is on P-256 in place of one on secp256k1.")
        var acceptWeaker = false

        func work() async throws -> ExitStatus {
            let work = try MigrateCommand.work(common, options)
            let moved = try await MigrateCommand.withProgress { progress in
                try await work.run(acceptsWeaker: acceptWeaker, progress: progress)
            }
            switch common.output {
            case .json: try Terminal.print(json: moved)
            case .text:
                if moved.isNew { Terminal.print("Made the daemon's keys on \(MigrateCommand.name(moved.target)).") }
                Terminal.print("\(moved.records) records have a form for it, \(moved.fresh) of them since now.")
            }
            return .ok
        }
    }

    /// `kmsd migrate status`.
    struct Status: Verb {
        static let configuration = CommandConfiguration(
            commandName: "status",
            abstract: "Show how far a migration has come.",
            discussion: "Reads files only, so it may run beside the daemon.")

        @OptionGroup var common: CommonOptions

        private struct None: Encodable { var state: String? = nil }

        func work() async throws -> ExitStatus {
            guard let status = try MigrationWork(common.configuration(), target: nil).status() else {
                switch common.output {
                case .json: try Terminal.print(json: None())
                case .text: Terminal.print("Nothing is being migrated.")
                }
                return .ok
            }
            switch common.output {
            case .json: try Terminal.print(json: status)
            case .text:
                let state = status.state
                Terminal.print(
                    "from \(MigrateCommand.name(state.source.token)) to \(MigrateCommand.name(state.target.token)), begun "
                        + Timestamp(seconds: state.began / 1000).rfc3339(digits: 0))
                for kind in status.moved { Terminal.print("  \(kind.count) \(kind.kind)") }
                Terminal.print(
                    state.phase == .finishing
                        ? "It has begun to end: `kmsd migrate finish` goes on."
                        : status.isVerified
                            ? "Verified; `kmsd migrate finish` ends it." : "Not verified; `kmsd migrate verify` does.")
            }
            return .ok
        }
    }

    /// `kmsd migrate rollback`.
    struct Rollback: Verb {
        static let configuration = CommandConfiguration(
            commandName: "rollback",
            abstract: "Give a migration up: destroy the daemon's keys on the other token, and forget the forms.",
            discussion: "The home is as it was. Refused once `finish` has begun.")

        @OptionGroup var common: CommonOptions
        @OptionGroup var options: Options
        @Flag(help: "Leave the other token as it is, because it is lost.") var leaveTarget = false

        private struct Report: Encodable { var destroyed: [String] }

        func work() async throws -> ExitStatus {
            let destroyed = try await MigrateCommand.work(common, options).rollback(leavesTarget: leaveTarget)
            switch common.output {
            case .json: try Terminal.print(json: Report(destroyed: destroyed))
            case .text:
                Terminal.print("Given up. \(destroyed.count) objects were destroyed on the other token.")
            }
            return .ok
        }
    }

    /// `kmsd migrate finish`.
    struct Finish: Verb {
        static let configuration = CommandConfiguration(
            commandName: "finish",
            abstract: "Let the other token become this home's.",
            discussion: """
                Compares everything with the transcript of `verify`, then replaces the records, hands the audit chain over by \
                a record that both audit keys sign, and replaces the manifest. From then on this home's token opens nothing \
                of it any more, and copies from before are opened by nothing else: keep it as long as such copies matter. \
                Interrupted, it has to be run again; nothing else works before. The daemon must not run meanwhile.
                """)

        @OptionGroup var common: CommonOptions
        @OptionGroup var options: Options

        func work() async throws -> ExitStatus {
            let work = try MigrateCommand.work(common, options)
            let finished = try await MigrateCommand.withProgress { progress in
                try await work.finish(progress: progress)
            }
            switch common.output {
            case .json: try Terminal.print(json: finished)
            case .text:
                Terminal.print("This home's token is \(MigrateCommand.name(finished.token)) now.")
                Terminal.print("From now on: token-uri \(finished.address)")
                Terminal.print("The transcript is in \(finished.transcript).")
            }
            return .ok
        }
    }
}

extension MigrationPlan.Route {
    /// All routes there are expose alike.
    static func words(_ plan: MigrationPlan) -> String { plan.routes.first?.exposure ?? "nothing" }
}

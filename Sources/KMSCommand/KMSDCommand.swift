import ArgumentParser
import Glibc
import KMSDaemon

/// The program `kmsd`.
struct KMSDCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kmsd",
        abstract: "A keystore server whose keys are locked by a PKCS #11 token or a TPM.",
        discussion: """
            A first session, with a SoftHSM token called 'kmsd':

              export KMSD_HOME=/var/lib/kmsd
              uri='pkcs11:token=kmsd?module-path=/usr/lib/softhsm/libsofthsm2.so'
              export KMS_TOKEN_URI="$uri&pin-source=file:$KMSD_HOME/user.pin"
              kmsd init       make the daemon's own keys on the token, once
              kmsd doctor     check everything start depends on
              kmsd start      serve on 127.0.0.1:8074

            Every setting is a flag, a KMS_* variable or a line of kmsd.yaml, in this order of precedence. Exit codes: \
            0 ok, 1 failed, 2 findings, 64 usage, 69 unavailable, 77 permission, 78 configuration.
            """,
        version: "kmsd 0.1.0",
        subcommands: [
            InitCommand.self, StartCommand.self, DoctorCommand.self, TokenCommand.self, TPMCommand.self,
            KeystoreCommand.self, KeyCommand.self, ShareCommand.self, SlotCommand.self, MigrateCommand.self,
            AuditCommand.self, ReceiptCommand.self,
            AttestCommand.self, DecryptionCommand.self,
            DevCommand.self, WalletCommand.self, ImportCommand.self, CompletionCommand.self,
        ])
}

/// Runs the command line and ends the process with the verb's exit code.
public enum CommandLineEntry {
    public static func run() async -> Never {
        do {
            var command = try KMSDCommand.parseAsRoot()
            // The daemon has signals of its own.
            if !(command is StartCommand) { Terminal.keepPipesApart() }
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            finish()
            KMSDCommand.exit()
        } catch {
            finish()
            KMSDCommand.exit(withError: error)
        }
    }

    /// Everything is closed and durable here. What libraries have for the end of a process is left out: threads of the token, of
    /// databases and of the runtime may still be on their way out, and a library that takes its state away under them ends the
    /// process by a signal after a verb that did everything (seen once of `init` on SoftHSM). Called last, so run first.
    private static func finish() {
        ServiceLog.finish()
        on_exit(
            { status, _ in
                fflush(nil)
                _exit(status)
            }, nil)
    }
}

/// A verb: its work may throw anything; what it throws is told in the chosen format and becomes the exit code.
protocol Verb: AsyncParsableCommand {
    var common: CommonOptions { get }
    /// Returns the exit code unless it throws.
    func work() async throws -> ExitStatus
}

extension Verb {
    func run() async throws {
        let status: ExitStatus
        do {
            // Verbs that read the configuration say it again, with what the file says; the examination finds it.
            if !(self is DoctorCommand) { try CredentialOptions.use(common) }
            status = try await work()
        } catch {
            let failure = CommandFailure(error)
            if common.output == .json { try Terminal.print(json: FailureReport(failure)) }
            Terminal.complain("kmsd: \(failure)")
            throw ExitCode(failure.status.rawValue)
        }
        if status != .ok { throw ExitCode(status.rawValue) }
    }
}

import ArgumentParser
import Audit
import EnclaveLock
import Encodings
import Foundation
import KMSConfiguration
import KMSDaemon
import Keystores
import RemoteLocks
import SecretMemory
import Storage
import Token
import TrustBlocImport

/// `kmsd import`.
struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Take over keystores of another server.", subcommands: [TrustBloc.self])

    /// `kmsd import trustbloc`.
    struct TrustBloc: Verb {
        static let configuration = CommandConfiguration(
            commandName: "trustbloc",
            abstract: "Take over the keystores and keys of a TrustBloc server.",
            discussion: """
                Reads a dump of its stores: one JSON object a line with the members store (keystores, kmsdb or zcaps), \
                key and value, the value being base64 of what the store holds. Each keystore's keys are opened with \
                its main key, and that with the server's own lock: a key file, or the AWS key of the settings \
                secret-lock-aws-…. Ids, controllers, dates, root capabilities and output prefixes are kept, so old \
                signatures, MACs and ciphertexts go on verifying and opening.

                Keystores that are locked by shares come if --shares gives the users' shares: a file of mode 0600, at \
                most 64 KiB, with a line for each keystore: its id, the user's name and his share in base64, with tabs \
                between them. The other shares are asked of the server of the settings auth-server-…. They stay locked \
                by the same shares.

                Keystores whose keys are in users' vaults come if --vault-keys gives the keys' ids, which no store \
                lists: a file with a line for each key, its keystore's id and its own, with a tab between them. Each \
                key is fetched from the vault with the old server's keys and stored there anew; the old documents \
                stay. The vaults' servers must be ones that may be called: see KMS_OUTBOUND_ALLOW.

                The daemon must not run meanwhile. A run that was interrupted is begun again with the same command: \
                what is here already is passed over. Each keystore and key that is made gets a record in the audit chain, as \
                `import-keystore` and `import-key`. Exit code 2: something was left behind; the report says what and \
                why.

                  kmsd import trustbloc dump.jsonl --lock-key-file /etc/trustbloc/lock.key
                  export KMS_SECRET_LOCK_AWS_KEY_URI=aws-kms://arn:…
                  kmsd import trustbloc dump.jsonl --lock-aws
                """)

        @OptionGroup var common: CommonOptions
        @Argument(help: "The dump.") var dump: String
        @Option(help: "Key file of the server's local lock, mode 0600.") var lockKeyFile: String?
        @Flag(help: "The server's lock is the AWS key of secret-lock-aws-key-uri.") var lockAws = false
        @Option(help: "File with users' shares of keystores, mode 0600.") var shares: String?
        @Option(help: "File with ids of keys that are in vaults.") var vaultKeys: String?

        func validate() throws {
            if lockKeyFile != nil, lockAws { throw ValidationError("Give --lock-key-file or --lock-aws, not both.") }
            if lockKeyFile == nil, !lockAws, shares == nil {
                throw ValidationError("Give the server's lock, --lock-key-file or --lock-aws, or users' --shares.")
            }
        }

        func work() async throws -> ExitStatus {
            let settings = try common.configuration()
            let content = try read()
            let report = try await RecordedWork.run(settings) { work in try await bring(content, work) }
            switch common.output {
            case .json: try Terminal.print(json: report)
            case .text: Terminal.print(report.text)
            }
            return report.leftBehind.isEmpty ? .ok : .findings
        }

        private func bring(_ content: TrustBlocDump, _ work: RecordedWork) async throws -> ImportReport {
            let application = work.application
            let configured = SecretLocks(
                settings: application.settings, token: nil, outbound: application.outbound)
            let callers = try readShares()
            var locks = TrustBlocLocks(server: try server(configured))
            if !callers.isEmpty {
                guard let lock = try configured.shares() else {
                    throw ConfigurationError("--shares needs the settings auth-server-url and auth-server-token-file")
                }
                for (keystore, caller) in callers.sorted(by: { $0.key < $1.key }) {
                    let name = TerminalEscaping.of(keystore.text)
                    let key: SharedSecret
                    do throws(EnclaveLockError) {
                        key = try await lock.key(of: caller)
                    } catch {
                        throw EnclaveLockError(error.code, "Shares of keystore '\(name)': \(error.message)")
                    }
                    // The store names no keystore of a key: the lock that opens it must tell.
                    if let twin = locks.shares.first(where: { Self.equal($0.value, key) }) {
                        throw ConfigurationError(
                            "the keystores '\(TerminalEscaping.of(twin.key.text))' and '\(name)' have the same shares, so their "
                                + "keys cannot be told apart; give the shares of the one that is to have them")
                    }
                    locks.shares[keystore] = key
                }
            }
            return try await TrustBlocImport(
                keystores: application.keystores, dump: content, locks: locks, callers: callers,
                vaultKeys: try readVaultKeys(), vaults: application.vaults, records: work.records
            ).run()
        }

        private static func equal(_ one: SharedSecret, _ other: SharedSecret) -> Bool {
            one.withUnsafeBytes { one in other.withUnsafeBytes { other in ConstantTime.equal(one, other) } }
        }

        private func server(_ configured: SecretLocks) throws -> TrustBlocLocks.Server? {
            if let lockKeyFile {
                do throws(EnclaveLockError) {
                    return .local(try LocalFileLock.key(path: lockKeyFile))
                } catch {
                    throw CommandFailure(.configuration, code: "lock", error.message)
                }
            }
            guard lockAws else { return nil }
            guard let aws = try configured.aws() else {
                throw ConfigurationError("--lock-aws needs the setting secret-lock-aws-key-uri")
            }
            return .remote { locked in
                let text: SharedSecret
                do throws(EnclaveLockError) {
                    text = try await aws.openForeign(locked)
                } catch {
                    if error.code == .openingFailed { return nil }
                    throw error
                }
                return text
            }
        }

        private func readVaultKeys() throws -> [ExactText: [String]] {
            guard let vaultKeys else { return [:] }
            let content = try InputFile.read(vaultKeys, upTo: VaultKeyFile.longest)
            do throws(ConfigurationError) {
                return try VaultKeyFile.keys(content)
            } catch {
                throw CommandFailure(.usage, code: "vault-keys", "'\(vaultKeys)', \(error.message)")
            }
        }

        private func readShares() throws -> [ExactText: CallerShare] {
            guard let shares else { return [:] }
            let file = URL(fileURLWithPath: shares).path
            do {
                let content = try SecretFile.read(file, lengths: 1...ShareFile.longest)
                return try content.withUnsafeBytes { try ShareFile.callers($0) }
            } catch let error as SecretFileError {
                throw CommandFailure(
                    error.isAboutRights ? .permission : .configuration, code: "shares", error.message)
            } catch let error as ConfigurationError {
                throw CommandFailure(.usage, code: "shares", "'\(shares)', \(error.message)")
            }
        }

        private func read() throws -> TrustBlocDump {
            do {
                let size = try FileManager.default.attributesOfItem(atPath: dump)[.size] as? Int ?? 0
                guard size <= TrustBlocDump.longestFile else {
                    throw CommandFailure(.usage, code: "usage", "'\(dump)' is longer than 1 GiB; split it by lines.")
                }
                let data = try Data(contentsOf: URL(fileURLWithPath: dump), options: .mappedIfSafe)
                return try TrustBlocDump(reading: data)
            } catch let error as TrustBlocError {
                throw CommandFailure(.usage, code: "dump", "'\(dump)', \(error.message)")
            } catch let error as CommandFailure {
                throw error
            } catch {
                throw CommandFailure(.usage, code: "dump", "'\(dump)' cannot be read: \(PlainReason.of(error))")
            }
        }
    }
}

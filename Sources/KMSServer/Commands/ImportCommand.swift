import ArgumentParser
import EnclaveLock
import Foundation
import HSMBridge
import Keystores
import SecretMemory
import TrustBlocStore

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
                Reads a dump of its stores: one JSON object a line with the members store (keystores, kmsdb or zcaps), key
                and value, the value being base64 of what the store holds. The server's secret lock must be 'local'; each
                keystore's keys are opened with its main key. Ids, controllers, dates, root capabilities and output
                prefixes are kept, so old signatures, MACs and ciphertexts go on verifying and opening.

                The daemon must not run meanwhile. A run that was interrupted is begun again with the same command: what is
                here already is passed over. Exit code 2: something was left behind; the report says what and why.

                  kmsd import trustbloc dump.jsonl --lock-key-file /etc/trustbloc/lock.key
                """)

        @OptionGroup var common: CommonOptions
        @Argument(help: "The dump.") var dump: String
        @Option(help: "Key file of the server's local lock, mode 0600.") var lockKeyFile: String

        func work() async throws -> ExitStatus {
            let settings = try common.configuration()
            let (content, serverKey) = try read()
            let home = try HomeDirectory(taking: settings.home)
            let application = try Application.build(settings)
            application.token?.start()
            let report: ImportReport
            do {
                try await application.token?.waitUntilReady(timeout: .seconds(10))
                report = try await TrustBlocImport(
                    keystores: application.keystores, dump: content,
                    keys: TrustBlocKeys(content, serverKey: serverKey)
                ).run()
            } catch {
                await application.token?.shutdown()
                throw error
            }
            await application.token?.shutdown()
            try application.store.close()
            withExtendedLifetime(home) {}
            switch common.output {
            case .json: try Terminal.print(json: report)
            case .text: Terminal.print(report.text)
            }
            return report.leftBehind.isEmpty ? .ok : .findings
        }

        private func read() throws -> (TrustBlocDump, SharedSecret) {
            do {
                let size = try FileManager.default.attributesOfItem(atPath: dump)[.size] as? Int ?? 0
                guard size <= TrustBlocDump.longestFile else {
                    throw CommandFailure(.usage, code: "usage", "'\(dump)' is longer than 1 GiB; split it by lines.")
                }
                let data = try Data(contentsOf: URL(fileURLWithPath: dump), options: .mappedIfSafe)
                return (try TrustBlocDump(reading: data), try LocalFileLock.key(path: lockKeyFile))
            } catch let error as TrustBlocError {
                throw CommandFailure(.usage, code: "dump", "'\(dump)', \(error.message)")
            } catch let error as EnclaveLockError {
                throw CommandFailure(.configuration, code: "lock", error.message)
            } catch let error as CommandFailure {
                throw error
            } catch {
                throw CommandFailure(.usage, code: "dump", "'\(dump)' cannot be read: \(error.localizedDescription)")
            }
        }
    }
}

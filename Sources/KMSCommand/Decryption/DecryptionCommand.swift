import ArgumentParser
import Audit
import Decryption
import DecryptionStore
import EnclaveLock
import Encodings
import Foundation
import Glibc
import KMSConfiguration
import KMSDaemon
import Keystores
import Logging
import SecretMemory
import SplitKeys
import Storage
import TFHE

/// `kmsd decryption`.
struct DecryptionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decryption", abstract: "Keys of the decryption API, and a client for people.",
        subcommands: [
            Key.self, Chain.self, Status.self, Wallet.self, Permit.self, Request.self, Verify.self, Open.self,
        ])

    /// `kmsd decryption key`.
    struct Key: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "key", abstract: "Take, show and end TFHE keys.",
            subcommands: [Import.self, List.self, Show.self, Disable.self, Enable.self, Destroy.self])
    }
}

extension DecryptionCommand.Key {
    /// `kmsd decryption key import`.
    struct Import: Verb {
        static let configuration = CommandConfiguration(
            commandName: "import",
            abstract: "Seal a TFHE client key.",
            discussion: """
                Reads a client key file of tfhe-rs, or the secret key that Concrete exports, keeps the bits that decrypt, \
                sealed by the daemon's lock, and drops the rest. The file must have mode 0600; destroy it afterwards. \
                Concrete's key carries no parameters, so --message-modulus, --carry-modulus, --order and --length are \
                needed; with other formats they must agree if they are given. The daemon must not run meanwhile.

                  kmsd decryption key import --name net1 --format raw-0.6 client_key.bin
                """)

        @OptionGroup var common: CommonOptions
        @Option(help: "What the key is called: 1 to 64 letters and digits.") var name: String
        @Option(help: "raw-0.4, raw-0.5, raw-0.6, safe-0.5 or concrete-lwe.") var format: String
        @Option(help: "Values of a block without its carry.") var messageModulus: UInt64?
        @Option(help: "Room for carries above the message.") var carryModulus: UInt64?
        @Option(help: "big or small.") var order: String?
        @Option(help: "Bits of the key.") var length: Int?
        @Flag(help: "Take a key that stands in a public repository, for trying out: it guards nothing.")
        var published = false
        @Argument(help: "The key file.") var file: String

        func work() async throws -> ExitStatus {
            guard let format = ClientKeyFormat(rawValue: format) else {
                throw CommandFailure(
                    .usage, code: "usage",
                    "--format: expected " + ClientKeyFormat.allCases.map(\.rawValue).joined(separator: ", "))
            }
            let key = try read(format)
            let (name, published) = (name, published)
            let record = try await DecryptionWork.run(common) { work in
                let record = try await work.vault.take(
                    key, as: name, allowsPublished: published, now: Int64(Date().timeIntervalSince1970))
                try await work.tell("decryption-key-import", record, isPublished: published)
                return record
            }
            try DecryptionWork.show([record], common.output)
            return .ok
        }

        private func read(_ format: ClientKeyFormat) throws -> ClientKey {
            do {
                let content = try SecretFile.read(
                    URL(fileURLWithPath: file).path, lengths: 1...(1 << 20))
                return try ClientKey(reading: content, as: format, expecting: try parameters())
            } catch let error as SecretFileError {
                throw CommandFailure(
                    error.isAboutRights ? .permission : .usage, code: "key-file", error.message)
            } catch let error as TFHEError {
                throw CommandFailure(.failed, code: error.code.rawValue, "'\(file)': \(error.message)")
            }
        }

        private func parameters() throws -> KeyParameters? {
            let given: [Any?] = [messageModulus, carryModulus, order, length]
            if given.allSatisfy({ $0 == nil }) { return nil }
            guard let messageModulus, let carryModulus, let order, let length,
                let order = ["big": KeyOrder.big, "small": .small][order]
            else {
                throw CommandFailure(
                    .usage, code: "usage",
                    "--message-modulus, --carry-modulus, --order (big or small) and --length belong together")
            }
            return try KeyParameters(
                messageModulus: messageModulus, carryModulus: carryModulus, order: order, length: length)
        }
    }

    /// `kmsd decryption key list`.
    struct List: Verb {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List TFHE keys.",
            discussion: "Reads the database, also while the daemon runs; the daemon itself checks what it reads.")

        @OptionGroup var common: CommonOptions

        func work() async throws -> ExitStatus {
            try DecryptionWork.show(DecryptionWork.keys(common), common.output)
            return .ok
        }
    }

    /// `kmsd decryption key show`.
    struct Show: Verb {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Show a TFHE key.",
            discussion: "Reads the database, also while the daemon runs; the daemon itself checks what it reads.")

        @OptionGroup var common: CommonOptions
        @Argument(help: "The key's name.") var name: String

        func work() async throws -> ExitStatus {
            guard let record = try DecryptionWork.keys(common).first(where: { $0.id.isExactly(name) }) else {
                throw CommandFailure(.failed, code: "unknown-key", "there is no key of that name")
            }
            try DecryptionWork.show([record], common.output)
            return .ok
        }
    }

    /// `kmsd decryption key disable`.
    struct Disable: Verb {
        static let configuration = CommandConfiguration(
            commandName: "disable",
            abstract: "Refuse decryptions with a TFHE key.", discussion: "The daemon must not run meanwhile.")

        @OptionGroup var common: CommonOptions
        @Argument(help: "The key's name.") var name: String

        func work() async throws -> ExitStatus { try await DecryptionWork.set(.disabled, name, common) }
    }

    /// `kmsd decryption key enable`.
    struct Enable: Verb {
        static let configuration = CommandConfiguration(
            commandName: "enable",
            abstract: "Allow decryptions with a TFHE key again.", discussion: "The daemon must not run meanwhile.")

        @OptionGroup var common: CommonOptions
        @Argument(help: "The key's name.") var name: String

        func work() async throws -> ExitStatus { try await DecryptionWork.set(.enabled, name, common) }
    }

    /// `kmsd decryption key destroy`.
    struct Destroy: Verb {
        static let configuration = CommandConfiguration(
            commandName: "destroy",
            abstract: "Erase a TFHE key for good.",
            discussion:
                "Nothing that was encrypted for it can be decrypted here again. The daemon must not run meanwhile.")

        @OptionGroup var common: CommonOptions
        @Argument(help: "The key's name.") var name: String
        @Flag(help: "Yes, for good.") var yes = false

        func work() async throws -> ExitStatus {
            guard yes else {
                throw CommandFailure(
                    .usage, code: "usage", "say --yes to erase the key '\(TerminalEscaping.of(name))' for good")
            }
            return try await DecryptionWork.set(.destroyed, name, common)
        }
    }
}

/// What the verbs share: changing a key's state, and showing keys.
extension DecryptionWork {
    static func run<R: Sendable>(
        _ common: CommonOptions, _ body: (DecryptionWork) async throws -> R
    ) async throws -> R {
        try await run(try common.configuration(), body)
    }

    static func set(
        _ state: DecryptionKeyRecord.State, _ name: String, _ common: CommonOptions
    ) async throws -> ExitStatus {
        let record = try await run(common) { work in
            guard var record = try await work.vault.store.key(name) else {
                throw CommandFailure(.failed, code: "unknown-key", "there is no key of that name")
            }
            let verb = [.enabled: "enable", .disabled: "disable", .destroyed: "destroy"][state] ?? ""
            try await work.vault.store.set(state, of: record.id)
            try await work.tell("decryption-key-\(verb)", record)
            record.state = state
            return record
        }
        try show([record], common.output)
        return .ok
    }

    static func keys(_ common: CommonOptions) throws -> [DecryptionKeyRecord] {
        let settings = try common.configuration()
        try HomeDirectory.check(settings.home)
        let path = Application.decryptionPath(home: settings.home)
        // Looking makes no database.
        return FilePresence.exists(path) ? try DecryptionStore.keys(inFile: path) : []
    }

    private struct Shown: Encodable {
        var name: String
        var state: String
        var messageModulus: UInt64
        var carryModulus: UInt64
        var order: String
        var length: Int
        var fingerprint: String
        var lock: String
        var createdAt: Int64
    }

    static func show(_ records: [DecryptionKeyRecord], _ output: OutputFormat) throws {
        let shown = records.map { record in
            Shown(
                name: record.id, state: record.state.rawValue, messageModulus: record.parameters.messageModulus,
                carryModulus: record.parameters.carryModulus, order: record.parameters.order == .big ? "big" : "small",
                length: record.parameters.length, fingerprint: Hexadecimal.encode(record.fingerprint),
                lock: record.lockKind.name, createdAt: record.createdAt)
        }
        try Terminal.print(shown, as: output) { key in
            "\(TerminalEscaping.of(key.name))  \(key.state)  \(key.messageModulus)x\(key.carryModulus) \(key.order) \(key.length) "
                + "bits  \(key.fingerprint)  sealed by \(key.lock)"
        }
    }
}

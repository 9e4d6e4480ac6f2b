import ArgumentParser
import EnclaveLock
import Encodings
import Foundation
import HybridSealing
import KMSConfiguration
import KMSDaemon
import Keystores

extension SlotCommand {
    /// `kmsd slot add`.
    struct Add: Verb {
        static let configuration = CommandConfiguration(
            commandName: "add",
            abstract: "Add a slot, and let it open every keystore.",
            discussion: """
                A slot is a further way to open every keystore of this home beside the daemon's own lock: by a passphrase, \
                by a key of AWS KMS, by several people of whom some suffice, or by another token, to whose public key it is \
                sealed while that token lies in a safe. \
                The first one makes a recovery key: a pair whose private half is nowhere but in the slots, sealed in each. \
                Keystores that are locked by their callers' shares are left as they are; resident keys and split keys need \
                the token as before.

                A public key must be confirmed: give the fingerprint that `kmsd slot recipient` showed beside its token.

                The daemon must not run meanwhile. Killed at any moment, there is the old list of slots or the new one; \
                `kmsd slot fill` goes on with the keystores.

                  kmsd slot add --kind passphrase --passphrase-file /run/keys/recovery
                  kmsd slot add --kind hybrid --recipient age1tagpq1… --fingerprint 5f3c…
                  kmsd slot add --kind people --threshold 2 --passphrase-file /run/keys/anna \\
                    --passphrase-file /run/keys/ben --passphrase-file /run/keys/cleo
                """)

        enum Kind: String, ExpressibleByArgument, CaseIterable {
            case passphrase, hybrid, aws, people, own
        }

        @OptionGroup var common: CommonOptions
        @OptionGroup var options: Options
        @Option(help: "passphrase, hybrid, aws, people, or own: the daemon's lock, if its slot is missing.")
        var kind: Kind
        @Option(
            help:
                "Of a passphrase: absolute path (mode 0600) or credential:NAME, 12 to 1024 bytes. Repeatable for people."
        )
        var passphraseFile: [String] = []
        @Option(help: "Of a public key: age1tagpq1…, or a file with it. Repeatable for people.")
        var recipient: [String] = []
        @Option(help: "SHA-256 of the recipient in hex, as its holder tells it; as many as recipients, in their order.")
        var fingerprint: [String] = []
        @Option(help: "Of people: how many must come together.") var threshold: Int?

        private struct Report: Encodable {
            var added: Shown
            var reach: RecoveryReach
        }

        func validate() throws {
            guard fingerprint.count <= recipient.count else {
                throw ValidationError("each --fingerprint belongs to a --recipient")
            }
            guard (threshold != nil) == (kind == .people) else {
                throw ValidationError("--kind people needs --threshold, and no other kind has one")
            }
            let isRight =
                switch kind {
                case .passphrase: passphraseFile.count == 1 && recipient.isEmpty
                case .hybrid: passphraseFile.isEmpty && recipient.count == 1
                case .people: true
                case .aws, .own: passphraseFile.isEmpty && recipient.isEmpty
                }
            guard isRight else {
                throw ValidationError(
                    "give one --passphrase-file for --kind passphrase, one --recipient for --kind hybrid, several of both for "
                        + "--kind people, and none for another kind")
            }
        }

        func work() async throws -> ExitStatus {
            let settings = try common.configuration(adding: options.flags)
            let work = SlotWork(settings)
            let lock = try lock()
            let slot = try await work.add { locks in
                if let lock { return lock }
                guard kind == .aws else {
                    guard locks.server.kind != .recovery else {
                        throw CommandFailure(
                            .usage, code: "slot", "The daemon's own lock is away; give '--kind own' when it is back.")
                    }
                    return locks.server
                }
                guard let aws = locks.all.first(where: { $0.kind == .aws }) else {
                    throw ConfigurationError("'--kind aws' needs the settings secret-lock-aws-…")
                }
                return aws
            }
            let shown = Shown(slot, isOwn: kind == .own)
            let reach = try await SlotCommand.fill(work)
            switch common.output {
            case .json: try Terminal.print(json: Report(added: shown, reach: reach))
            case .text:
                Terminal.print(shown.line)
                Terminal.print(SlotCommand.sentences(reach))
            }
            return reach.damaged == 0 ? .ok : .findings
        }

        /// Nil for a lock that the daemon has.
        private func lock() throws -> (any SecretLock)? {
            var members: [any SecretLock] = try passphraseFile.map {
                try SecretLocks.passphraseLock($0, setting: "--passphrase-file")
            }
            for (number, text) in recipient.enumerated() {
                let key = try RecipientText.read(text)
                try RecipientText.confirm(key, number < fingerprint.count ? fingerprint[number] : nil)
                members.append(try HybridSlotLock(recipient: key))
            }
            guard kind == .people else { return members.first }
            do {
                return try PeopleLock(members: members, threshold: threshold)
            } catch {
                throw CommandFailure(.usage, code: "people", error.message)
            }
        }
    }

    /// `kmsd slot test`.
    struct Test: Verb {
        static let configuration = CommandConfiguration(
            commandName: "test",
            abstract: "Open the slots that are at hand, to see that they would open.",
            discussion: """
                A passphrase is at hand with --recovery-passphrase-files, another token with --recovery-home and \
                --recovery-token-uri. A PIN is tried once. Each trial is recorded. The daemon must not run meanwhile. Exit \
                code 2: a slot does not open, or the one that was named is not at hand.

                  kmsd slot test --recovery-passphrase-files /run/keys/recovery
                """)

        @OptionGroup var common: CommonOptions
        @OptionGroup var options: Options
        @Option(help: "Try this slot alone.") var slot: Int?

        private struct Report: Encodable {
            var slot: Int
            var kind: String
            var outcome: SlotWork.Trial
            var reason: String?
        }

        func work() async throws -> ExitStatus {
            let trials = try await SlotWork(common.configuration(adding: options.flags)).test(slot)
            let reports = trials.map { trial in
                Report(
                    slot: trial.slot.id, kind: trial.slot.kind.name, outcome: trial.trial, reason: trial.reason)
            }
            try Terminal.print(reports, as: common.output) { report in
                let reason = report.reason.map { ": \($0)" } ?? ""
                return switch report.outcome {
                case .opens: "slot \(report.slot)  \(report.kind)  opens"
                case .away: "slot \(report.slot)  \(report.kind)  is not at hand\(reason)"
                case .refuses: "slot \(report.slot)  \(report.kind)  does not open"
                }
            }
            // Several passphrases look alike: one that opens a slot does not open another one.
            let passphraseOpens = trials.contains { $0.trial == .opens && $0.slot.kind == .passphrase }
            let isBad = trials.contains { trial in
                switch trial.trial {
                case .opens: false
                case .away: slot != nil
                case .refuses: slot != nil || trial.slot.kind != .passphrase || !passphraseOpens
                }
            }
            return isBad ? .findings : .ok
        }
    }

    /// `kmsd slot recipient`.
    struct Recipient: Verb {
        static let configuration = CommandConfiguration(
            commandName: "recipient",
            abstract: "Show the public key of this home's token for others to seal a slot to.",
            discussion: """
                The first call makes it in the token: an agreement key that stays there, and an ML-KEM seed that the token \
                seals; recipient.json in the home directory keeps both and is needed to open. Sealing to it takes neither \
                token nor home.

                  kmsd --home /media/break-glass slot recipient
                """)

        @OptionGroup var common: CommonOptions

        private struct Report: Encodable {
            var recipient: String
            var fingerprint: String
            var isNew: Bool
        }

        func work() async throws -> ExitStatus {
            let (record, isNew) = try await SlotWork(common.configuration()).recipient()
            let key = try record.publicKey
            let report = Report(recipient: key.text ?? "", fingerprint: try key.fingerprint, isNew: isNew)
            switch common.output {
            case .json: try Terminal.print(json: report)
            case .text:
                Terminal.print("recipient    \(report.recipient)")
                Terminal.print("fingerprint  \(report.fingerprint)")
            }
            return .ok
        }
    }
}

/// A public key as a person gives it.
enum RecipientText {
    private static let longest = 4096

    /// - Parameter text: The key, or a file that holds it on one line.
    static func read(_ text: String) throws -> HybridRecipient {
        var text = text
        if !text.asciiLowercased().startsExactly(with: "age1") {
            let bytes = try InputFile.read(text, upTo: longest)
            text = String(decoding: bytes.prefix { $0 != 0x0A && $0 != 0x0D }, as: UTF8.self)
        }
        do throws(HybridSealingError) {
            return try HybridRecipient(text: text)
        } catch {
            throw CommandFailure(.usage, code: "recipient", "--recipient: \(error.message)")
        }
    }

    /// - Throws: ``CommandFailure`` unless the fingerprint is that of the key.
    static func confirm(_ key: HybridRecipient, _ fingerprint: String?) throws {
        let right = try key.fingerprint
        guard let fingerprint else {
            throw CommandFailure(
                .usage, code: "fingerprint",
                "The public key has the fingerprint \(right). Compare it with what `kmsd slot recipient` shows beside its "
                    + "token, and give that one by --fingerprint; nothing was sealed.")
        }
        guard fingerprint.asciiLowercased().isExactly(right) else {
            throw CommandFailure(
                .failed, code: "fingerprint",
                "The public key is another one than the fingerprint says: it has \(right). Nothing was sealed.")
        }
    }
}

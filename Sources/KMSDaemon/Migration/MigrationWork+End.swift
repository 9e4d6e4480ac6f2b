import Audit
import EnclaveLock
import Encodings
import Foundation
import Glibc
import KMSConfiguration
import Keystores
import Migration
package import Token

/// How a migration ends.
extension MigrationWork {
    // MARK: Finish

    /// What `finish` did.
    package struct Finished: Encodable, Sendable {
        package var token: TokenIdentity
        /// What the settings must name from now on.
        package var address: String
        /// Where the transcript stays.
        package var transcript: String
    }

    /// Lets the forms take the records' places, and the target become the home's token.
    ///
    /// First everything is compared with the transcript. From then on only going on is possible, and every step finds what an
    /// interrupted one has done: records, in transactions; the audit chain, by a record that both audit keys sign; what opens the
    /// databases; the manifest. The source is needed until the chain is the target's.
    package func finish(progress: @escaping @Sendable (Int, _ total: Int) -> Void) async throws -> Finished {
        guard let state = try place.state() else { throw Self.none }
        guard let manifest = try place.manifest.read() else {
            // All but the removal of the directory was done, and that too in part.
            guard state.phase == .finishing else { throw Self.none }
            try place.remove()
            return finished(state)
        }
        let next = manifest[.audit]?.fingerprint ?? ""
        if try !isHandedOver(to: next) { try await replaceRows(state, progress) }
        let home = try HomeDirectory(taking: settings.home)
        try await replaceKeys(manifest)
        try adopt(manifest, state)
        withExtendedLifetime(home) {}
        return finished(state)
    }

    private func isHandedOver(to key: String) throws -> Bool {
        let reader = try AuditReader(path: AuditParts.path(home: settings.home))
        return try reader.pinnedKey()?.isExactly(key) == true
    }

    private func finished(_ state: MigrationState) -> Finished {
        Finished(
            token: state.target.token, address: address ?? state.address,
            transcript: archived(state))
    }

    private func archived(_ state: MigrationState) -> String {
        "\(place.archive)/\(state.target.instance).jsonl"
    }

    /// While the source signs the record of decisions.
    private func replaceRows(
        _ state: MigrationState, _ progress: @escaping @Sendable (Int, _ total: Int) -> Void
    ) async throws {
        try await RecordedWork.run(settings, isOfMigration: true) { work in
            let source = try Self.source(work)
            guard let notary = work.notary else { throw LostManifest.missing(settings) }
            try await withTarget(state) { target in
                guard let manifest = target.manifest else { throw Self.none }
                let (name, total) = try await checkTranscript(source, target)
                let forms = try MigrationForms(path: place.formsPath)
                let stores = try await stores(work, source, target)
                // Before anything is replaced.
                var transcript = try TranscriptReader(path: place.transcriptPath)
                for store in stores.all {
                    try await Migrator.replace(store, by: forms, transcript: &transcript, looksOnly: true) { _ in }
                }
                try await work.records.allow(
                    "migrate-finish", "token:\(state.target.token.serial)",
                    details: ["transcript": name, "records": "\(total)"])
                var state = state
                state.phase = .finishing
                state.locks = MigrationState.Locks(source: source.sealingIdentity, target: target.sealingIdentity)
                try place.write(state)
                transcript = try TranscriptReader(path: place.transcriptPath)
                for store in stores.rows {
                    try await Migrator.replace(store, by: forms, transcript: &transcript, looksOnly: false) {
                        progress($0, total)
                    }
                }
                try stores.close()
                try forms.close()
                // The last thing that the source is needed for.
                try await notary.handOver(
                    to: target, manifest: manifest, transcript: name, by: "uid:\(getuid())")
            }
        }
    }

    /// - Returns: The transcript's name in the audit chain, and how many records it lists.
    private func checkTranscript(
        _ source: any TokenBackend, _ target: any TokenBackend
    ) async throws -> (name: String, total: Int) {
        guard FilePresence.exists(place.transcriptPath) else {
            throw CommandFailure(
                .failed, code: "not-verified",
                "Nothing was verified yet: `kmsd migrate verify` does; nothing was changed.")
        }
        var transcript = try TranscriptReader(path: place.transcriptPath)
        let counts = try transcript.check()
        for (token, side) in [(source, transcript.header.source), (target, transcript.header.target)] {
            let key = try await token.publicKey(of: .audit)
            guard Hexadecimal.encode(key.subjectPublicKeyInfo).isExactly(side.auditKey) else {
                throw MigrationError(.transcript, "The transcript is of other tokens: run `kmsd migrate verify` again.")
            }
        }
        return (try transcript.name, counts.reduce(0) { $0 + $1.count })
    }

    /// What opens the databases, when the chain is the target's: no token is needed for it.
    private func replaceKeys(_ manifest: TokenManifest) async throws {
        let own = try ManifestFile(home: settings.home).read()
        guard let locks = try place.state()?.locks, own?.instance.isExactly(manifest.instance) != true else { return }
        let forms = try MigrationForms(path: place.formsPath)
        let stores = try await MigrationStores(
            settings, source: locks.source, target: locks.target, store: nil, proving: nil)
        var transcript = try TranscriptReader(path: place.transcriptPath)
        for store in stores.keys {
            try await Migrator.replace(store, by: forms, transcript: &transcript, looksOnly: false) { _ in }
        }
        try stores.close()
        try forms.close()
    }

    /// The target's manifest becomes the home's, and the migration's directory goes.
    private func adopt(_ manifest: TokenManifest, _ state: MigrationState) throws {
        if FilePresence.exists(place.transcriptPath) {
            guard mkdir(place.archive, 0o700) == 0 || errno == EEXIST else {
                throw DurableFile.failure("make", place.archive)
            }
            let data = try Data(contentsOf: URL(fileURLWithPath: place.transcriptPath), options: .mappedIfSafe)
            try DurableFile.store(data, at: archived(state), in: place.archive)
        }
        let (own, policy) = (PolicyFile(home: settings.home), PolicyFile(home: place.directory))
        if let record = try policy.read() { try own.write(record) }
        try ManifestFile(home: settings.home).write(manifest)
        try place.remove()
    }

    // MARK: Rollback

    /// Destroys the target's keys and forgets the forms; the home is as it was. Refused once the end has begun.
    ///
    /// - Parameter leavesTarget: Does not touch the target, which is lost.
    /// - Returns: What was destroyed on the target.
    package func rollback(leavesTarget: Bool) async throws -> [String] {
        try await RecordedWork.run(settings, isOfMigration: true) { work in
            let source = try Self.source(work)
            guard let state = try state(of: source) else { throw Self.none }
            try await work.records.allow(
                "migrate-rollback", "token:\(state.target.token.serial)",
                details: leavesTarget ? ["leaves-target": "true"] : [:])
            var destroyed: [String] = []
            if !leavesTarget {
                let backend = try targetBackend(address ?? state.address, manifest: nil)
                destroyed = try await TokenWork.withBackend(backend) { token in
                    guard case .ready(let identity) = token.health, identity == state.target.token else {
                        throw CommandFailure(
                            .failed, code: "other-target",
                            "--to names another token than the one that this home was moving to; nothing was changed.")
                    }
                    return try await token.sweep(instance: state.target.instance)
                }
            }
            try place.remove()
            return destroyed
        }
    }
}

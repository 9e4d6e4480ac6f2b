import Audit
import EnclaveLock
import Encodings
import Foundation
package import KMSConfiguration
import Migration
package import Token

/// What the verbs of a migration do, while the daemon does not run: a home moves from its token to another. Each act is in the
/// record of decisions before it is done.
package struct MigrationWork: Sendable {
    let settings: Configuration
    /// Where the target is, as it was given now.
    let address: String?

    package init(_ settings: Configuration, target address: String?) {
        self.settings = settings
        self.address = address
    }

    var place: MigrationHome { MigrationHome(home: settings.home) }

    // MARK: Plan

    /// Says what a migration would do; the target is looked at, and nothing is changed on either token.
    package func plan() async throws -> MigrationPlan {
        try await RecordedWork.run(settings, isOfMigration: true) { work in
            let source = try Self.source(work)
            let (target, _) = try await identity(of: source)
            try await work.records.made("migrate-plan", "token:\(target.serial)")
            return try await plan(work, source, target)
        }
    }

    func plan(
        _ work: RecordedWork, _ source: any TokenBackend, _ target: TokenIdentity
    ) async throws -> MigrationPlan {
        guard let manifest = source.manifest else { throw LostManifest.missing(settings) }
        var plan = MigrationPlan(source: manifest.token, target: target)
        let stores = try await MigrationStores(
            settings, source: source.sealingIdentity, target: "", store: work.application.store,
            proving: { seal in try await work.open(seal) })
        for store in stores.all {
            let count = try await Migrator.count(store)
            guard count > 0 else { continue }
            if let last = plan.routes.last, last.kind.isExactly(store.kind) {
                plan.routes[plan.routes.count - 1].count += count
            } else {
                plan.routes.append(
                    MigrationPlan.Route(
                        kind: store.kind, count: count, route: Transcript.reseal, exposure: MigrationPlan.exposure))
            }
        }
        try stores.close()
        plan.stays = try MigrationPlan.stays(settings)
        plan.anew = MigrationPlan.anew(manifest)
        return plan
    }

    // MARK: Run

    /// What `run` did.
    package struct Moved: Encodable, Sendable {
        package var target: TokenIdentity
        package var records = 0
        /// Of them, those that got their form now.
        package var fresh = 0
        /// Whether the target's keys were made now.
        package var isNew = false
    }

    /// Gives every record its form for the target, beside what there is; goes on where an earlier run was interrupted.
    ///
    /// - Parameters:
    ///   - acceptsWeaker: Whether a target will do whose key for results is of a kind that fewer verifiers know.
    ///   - progress: Is told how many more records were looked at, of how many.
    package func run(
        acceptsWeaker: Bool, progress: @escaping @Sendable (Int, _ total: Int) -> Void
    ) async throws -> Moved {
        try await RecordedWork.run(settings, isOfMigration: true) { work in
            let source = try Self.source(work)
            let (identity, address) = try await identity(of: source)
            let plan = try await self.plan(work, source, identity)
            guard plan.stays.isEmpty else {
                try await work.records.refused("migrate-run", "token:\(identity.serial)", reason: "cannot-move")
                let kinds = plan.stays.map { "\($0.count) \($0.kind)" }.joined(separator: ", ")
                throw CommandFailure(
                    .failed, code: "cannot-move",
                    "There is what cannot leave this home's token: \(kinds). `kmsd migrate plan` says why and what to do "
                        + "instead; nothing was moved.")
            }
            let state = try begin(source, identity, address)
            try await work.records.allow(
                "migrate-run", "token:\(identity.serial)", details: ["records": "\(plan.total)"])
            let isNew = try await provision(state)
            return try await withTarget(state) { target in
                try Self.compare(source, target, acceptsWeaker: acceptsWeaker)
                var moved = try await move(work, source, target) { progress($0, plan.total) }
                moved.target = identity
                moved.isNew = isNew
                return moved
            }
        }
    }

    private func move(
        _ work: RecordedWork, _ source: any TokenBackend, _ target: any TokenBackend,
        progress: @escaping @Sendable (Int) -> Void
    ) async throws -> Moved {
        let forms = try MigrationForms(path: place.formsPath)
        let stores = try await stores(work, source, target)
        let migrator = Migrator(source: source, target: target, forms: forms)
        var moved = Moved(target: TokenIdentity(label: "", serial: "", manufacturer: "", model: ""))
        for store in stores.all {
            let (all, fresh) = try await migrator.move(store, progress: progress)
            moved.records += all
            moved.fresh += fresh
        }
        try stores.close()
        try forms.close()
        return moved
    }

    /// Writes down that a migration is under way, before anything is made on the target.
    private func begin(
        _ source: any TokenBackend, _ identity: TokenIdentity, _ address: String
    ) throws -> MigrationState {
        if let state = try state(of: source) { return state }
        guard let manifest = source.manifest else { throw LostManifest.missing(settings) }
        try place.make()
        let state = MigrationState(
            phase: .moving, source: MigrationState.Side(token: manifest.token, instance: manifest.instance),
            target: MigrationState.Side(token: identity, instance: TokenManifest.makeInstance()), address: address,
            began: Self.now())
        try place.write(state)
        return state
    }

    /// Makes the daemon's keys on the target; those of a run that was interrupted are destroyed first.
    ///
    /// - Returns: False if they are there.
    private func provision(_ state: MigrationState) async throws -> Bool {
        guard try place.manifest.read() == nil else { return false }
        // Those of earlier keys, of which no file knows any more.
        try place.forget()
        let backend = try targetBackend(state.address, manifest: nil)
        try await TokenWork.withBackend(backend) { token in
            _ = try await token.sweep(instance: state.target.instance)
            try place.manifest.write(try await token.provision(instance: state.target.instance))
        }
        return true
    }

    private static func compare(
        _ source: any TokenBackend, _ target: any TokenBackend, acceptsWeaker: Bool
    ) throws {
        guard !acceptsWeaker, let own = source.manifest?[.result]?.kind, let other = target.manifest?[.result]?.kind,
            own == .ecSecp256k1, other != own
        else { return }
        throw CommandFailure(
            .failed, code: "weaker",
            "The target makes no secp256k1 keys, so its key for results is on P-256, which chains do not verify. Nothing was "
                + "moved; give --accept-weaker if nobody verifies results of decryptions there, or `kmsd migrate rollback`."
        )
    }

    // MARK: Verify

    /// What `verify` found.
    package struct Proved: Encodable, Sendable {
        package var transcript: String
        package var sha256: String
        package var records: Int
        package var sourceKey: String
        package var targetKey: String
    }

    /// Opens every record on both tokens, and writes the transcript that both audit keys sign.
    package func verify(progress: @escaping @Sendable (Int, _ total: Int) -> Void) async throws -> Proved {
        try await RecordedWork.run(settings, isOfMigration: true) { work in
            let source = try Self.source(work)
            let state = try begun(source)
            let total = try formCounts().reduce(0) { $0 + $1.count }
            return try await withTarget(state) { target in
                let keys = (try await source.publicKey(of: .audit), try await target.publicKey(of: .audit))
                let forms = try MigrationForms(path: place.formsPath)
                let stores = try await stores(work, source, target)
                var transcript = try TranscriptWriter(
                    path: place.transcriptPath,
                    header: Transcript.Header(
                        source: Self.side(state.source, keys.0), target: Self.side(state.target, keys.1),
                        time: Self.now()))
                let migrator = Migrator(source: source, target: target, forms: forms)
                for store in stores.all {
                    try await migrator.prove(store, into: &transcript) { progress($0, total) }
                }
                let signed = transcript.signed
                let name = try transcript.finish(
                    sourceSignature: try await source.sign(signed, with: .audit),
                    targetSignature: try await target.sign(signed, with: .audit))
                try stores.close()
                try forms.close()
                try await work.records.made(
                    "migrate-verify", "token:\(state.target.token.serial)",
                    details: ["transcript": name, "records": "\(transcript.records)"])
                return Proved(
                    transcript: place.transcriptPath, sha256: name, records: transcript.records,
                    sourceKey: keys.0.fingerprint, targetKey: keys.1.fingerprint)
            }
        }
    }

    private static func side(_ side: MigrationState.Side, _ key: PublicKeyDescription) -> Transcript.Side {
        Transcript.Side(
            label: side.token.label, serial: side.token.serial, manufacturer: side.token.manufacturer,
            model: side.token.model, instance: side.instance, auditKey: Hexadecimal.encode(key.subjectPublicKeyInfo))
    }

    // MARK: Status

    /// How far a migration has come.
    package struct Status: Encodable, Sendable {
        package var state: MigrationState
        package var moved: [Kind]
        /// Whether there is a transcript of all of it.
        package var isVerified: Bool

        package struct Kind: Encodable, Sendable {
            package var kind: String
            package var count: Int
        }
    }

    /// Nil while nothing is being migrated. Reads files only, so it may run beside a daemon.
    package func status() throws -> Status? {
        guard let state = try place.state() else { return nil }
        return Status(
            state: state, moved: try formCounts().map { Status.Kind(kind: $0.kind, count: $0.count) },
            isVerified: FilePresence.exists(place.transcriptPath))
    }

    private func formCounts() throws -> [(kind: String, count: Int)] {
        FilePresence.exists(place.formsPath) ? try MigrationForms.counts(ofFile: place.formsPath) : []
    }

    static func now() -> Int64 { Int64((Date().timeIntervalSince1970 * 1000).rounded(.down)) }
}

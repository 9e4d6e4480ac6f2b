public import EnclaveLock
import Encodings
import LibCrypto
import SecretMemory
public import Token

/// Moves what one token seals to another: a form of each record for the other token is kept beside the record, proved, and takes
/// its place at the end.
///
/// Each secret is in locked memory for the time of one opening and sealing, as whenever the daemon uses it.
///
/// - Concurrency: one call at a time; inside it as many records at once as a page has.
public struct Migrator: Sendable {
    private let source: any Sealing
    private let target: any Sealing
    private let forms: MigrationForms

    public init(source: any Sealing, target: any Sealing, forms: MigrationForms) {
        self.source = source
        self.target = target
        self.forms = forms
    }

    /// Gives each record its form for the target; those that have one are passed over, so what was interrupted goes on.
    ///
    /// - Parameter progress: Is told how many more were looked at.
    /// - Returns: How many there are, and how many got a form now.
    public func move(
        _ store: any TokenSealedStore, progress: @escaping @Sendable (Int) -> Void
    ) async throws -> (all: Int, fresh: Int) {
        var (all, fresh) = (0, 0)
        try await Self.eachPage(of: store) { page in
            let made = try await withThrowingTaskGroup(of: MigrationForms.Form?.self) { group in
                for secret in page { group.addTask { try await newForm(of: secret, in: store) } }
                var made: [MigrationForms.Form] = []
                for try await form in group {
                    progress(1)
                    if let form { made.append(form) }
                }
                return made
            }
            try await forms.put(made, of: store.kind)
            all += page.count
            fresh += made.count
        }
        return (all, fresh)
    }

    /// Nil if there is one.
    private func newForm(
        of secret: TokenSealedSecret, in store: any TokenSealedStore
    ) async throws -> MigrationForms.Form? {
        let row = try OpenedProof.rowHash(secret)
        if try await forms.form(store.kind, secret.name)?.row == row { return nil }
        let opened = try await source.open(secret.sealed, under: secret.role, context: secret.context)
        let sealed = try await target.seal(opened, under: secret.role, context: secret.targetContext)
        let form = try await store.form(of: secret, opened: opened, sealed: sealed)
        return MigrationForms.Form(name: secret.name, row: row, bytes: form)
    }

    /// Opens every record on both tokens and compares what they answer to a challenge.
    ///
    /// - Parameter transcript: Gets a line for each.
    /// - Throws: ``MigrationError`` for the first record that is not moved, or not the same.
    public func prove(
        _ store: any TokenSealedStore, into transcript: inout TranscriptWriter,
        progress: @escaping @Sendable (Int) -> Void
    ) async throws {
        // Not inside the closure: what is written is written in order.
        var after: String?
        while true {
            let (page, end) = try await store.page(after: after)
            let lines = try await withThrowingTaskGroup(of: (Int, Transcript.Record).self) { group in
                for (place, secret) in page.enumerated() {
                    group.addTask { (place, try await proof(secret, of: store)) }
                }
                var lines: [(Int, Transcript.Record)] = []
                for try await line in group {
                    progress(1)
                    lines.append(line)
                }
                return lines.sorted { $0.0 < $1.0 }
            }
            for (_, line) in lines { try transcript.append(line) }
            // Each page ends behind the one before, so the loop ends.
            guard let end else { return }
            after = end
        }
    }

    private func proof(_ secret: TokenSealedSecret, of store: any TokenSealedStore) async throws -> Transcript.Record {
        let record = "\(store.kind) '\(secret.name)'"
        let row = try OpenedProof.rowHash(secret)
        guard let form = try await forms.form(store.kind, secret.name), form.row == row else {
            throw Self.notMoved(record)
        }
        let here = try await source.open(secret.sealed, under: secret.role, context: secret.context)
        let there = try await target.open(
            try store.sealed(inForm: form.bytes), under: secret.role, context: secret.targetContext)
        guard here.withSecret({ here in there.withSecret { here.constantTimeEquals($0) } }),
            try await store.accepts(form.bytes, of: secret, opened: there)
        else {
            throw MigrationError(
                .notSame, "\(record) opens on the target to something else than on the source. Roll back.")
        }
        let challenge = SystemRandom.bytes(OpenedProof.length)
        func answer(_ opened: SharedSecret) throws -> String {
            Hexadecimal.encode(
                try OpenedProof.answer(opened, challenge: challenge, kind: store.kind, name: secret.name))
        }
        return Transcript.Record(
            kind: store.kind, name: secret.name, source: Hexadecimal.encode(row),
            target: Hexadecimal.encode(try Digest.sha256(form.bytes)), challenge: Hexadecimal.encode(challenge),
            sourceProof: try answer(here), targetProof: try answer(there))
    }

    /// Lets the forms that a transcript lists take the records' places, or looks only whether they could. A record that has
    /// been replaced already is passed over, so what was interrupted goes on.
    ///
    /// - Parameters:
    ///   - transcript: Whose lines are in the order of the records.
    ///   - looksOnly: Changes nothing.
    /// - Throws: ``MigrationError`` for a record that the transcript does not list as it is now; those before it are replaced.
    public static func replace(
        _ store: any TokenSealedStore, by forms: MigrationForms, transcript: inout TranscriptReader, looksOnly: Bool,
        progress: @escaping @Sendable (Int) -> Void
    ) async throws {
        var after: String?
        while true {
            let (page, end) = try await store.page(after: after)
            var due: [(form: [UInt8], secret: TokenSealedSecret)] = []
            for secret in page {
                let record = "\(store.kind) '\(secret.name)'"
                guard let line = try transcript.find(kind: store.kind, name: secret.name),
                    let form = try await forms.form(store.kind, secret.name),
                    Hexadecimal.encode(try Digest.sha256(form.bytes)).isExactly(line.target)
                else { throw notProved(record) }
                progress(1)
                // A kind whose rows do not say by which token they are sealed.
                if try store.sealed(inForm: form.bytes) == secret.sealed { continue }
                guard Hexadecimal.encode(try OpenedProof.rowHash(secret)).isExactly(line.source) else {
                    throw notProved(record)
                }
                if !looksOnly { due.append((form.bytes, secret)) }
            }
            // Together, so that they share flushes.
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (form, secret) in due {
                    group.addTask {
                        // A record that stayed would need the source, which is taken for spare after this.
                        guard try await store.put(form, insteadOf: secret) else {
                            throw notProved("\(store.kind) '\(secret.name)'")
                        }
                    }
                }
                try await group.waitForAll()
            }
            guard let end else { return }
            after = end
        }
    }

    /// How many records a store has.
    public static func count(_ store: any TokenSealedStore) async throws -> Int {
        var count = 0
        try await eachPage(of: store) { count += $0.count }
        return count
    }

    private static func eachPage(
        of store: any TokenSealedStore, _ body: ([TokenSealedSecret]) async throws -> Void
    ) async throws {
        var after: String?
        // Each page ends behind the one before, so the loop ends.
        while true {
            let (page, end) = try await store.page(after: after)
            try await body(page)
            guard let end else { return }
            after = end
        }
    }

    private static func notMoved(_ record: String) -> MigrationError {
        MigrationError(
            .notMoved, "\(record) has no form for the target, or was changed since: `kmsd migrate run` goes on.")
    }

    private static func notProved(_ record: String) -> MigrationError {
        MigrationError(
            .notMoved,
            "\(record) is not as the transcript says: run `kmsd migrate run` and `kmsd migrate verify` again.")
    }
}

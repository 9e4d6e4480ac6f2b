import EnclaveLock
import Encodings
import Foundation
import LibCrypto
import SecretMemory
import TestSupport
import Testing
import Token

@testable import Migration

/// What one token seals moves to another: beside what there is, proved, and then in its place.
@Suite("Migrator", .timeLimit(.minutes(10))) struct MigratorTests {
    /// Two tokens with audit keys, records of the first, and the files of a migration.
    private struct Pair {
        let source: MemoryToken
        let target: MemoryToken
        let keys: (source: SigningKey, target: SigningKey)
        let store = MemoryStore()
        let folder: URL
        let forms: MigrationForms

        init(records: Int) async throws {
            source = try MemoryToken(identity: "source")
            target = try MemoryToken(identity: "target")
            keys = (try SigningKey.generate(.p256), try SigningKey.generate(.p256))
            folder = try ScratchDirectory.make("migration")
            forms = try MigrationForms(path: folder.path + "/forms.sqlite")
            for number in 0..<records { try await store.add("thing-\(number)", by: source) }
        }

        var migrator: Migrator { Migrator(source: source, target: target, forms: forms) }
        var transcript: String { folder.path + "/transcript.jsonl" }

        func move() async throws -> (all: Int, fresh: Int) { try await migrator.move(store) { _ in } }

        func prove() async throws {
            func side(_ key: SigningKey) -> Transcript.Side {
                Transcript.Side(
                    label: "a token", serial: "1", manufacturer: "m", model: "m", instance: "i",
                    auditKey: Hexadecimal.encode(key.subjectPublicKeyInfo))
            }
            var writer = try TranscriptWriter(
                path: transcript,
                header: Transcript.Header(source: side(keys.source), target: side(keys.target), time: 1))
            try await migrator.prove(store, into: &writer) { _ in }
            let signed = writer.signed
            _ = try writer.finish(
                sourceSignature: try keys.source.sign(signed, encoding: .p1363),
                targetSignature: try keys.target.sign(signed, encoding: .p1363))
        }

        func replace(looksOnly: Bool = false) async throws {
            var reader = try TranscriptReader(path: transcript)
            try await Migrator.replace(store, by: forms, transcript: &reader, looksOnly: looksOnly) { _ in }
        }

        /// Opens a record on a token.
        func open(_ name: String, on token: MemoryToken) async throws -> [UInt8] {
            let sealed = try #require(store[name])
            let opened = try await token.open(sealed, under: .rootLock, context: MemoryStore.context(name))
            return opened.withUnsafeBytes { Array($0) }
        }
    }

    private func code(_ body: () async throws -> Void) async -> MigrationError.Code? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? MigrationError)?.code
        }
    }

    @Test("every record opens on the target to the same, and on the source until it is replaced") func movesAll()
        async throws
    {
        let pair = try await Pair(records: 10)
        var before: [[UInt8]] = []
        for number in 0..<10 { before.append(try await pair.open("thing-\(number)", on: pair.source)) }
        let moved = try await pair.move()
        #expect(moved.all == 10 && moved.fresh == 10)
        try await pair.prove()
        try await pair.replace(looksOnly: true)
        for number in 0..<10 { #expect(try await pair.open("thing-\(number)", on: pair.source) == before[number]) }
        try await pair.replace()
        for number in 0..<10 { #expect(try await pair.open("thing-\(number)", on: pair.target) == before[number]) }
        // Once more changes nothing.
        try await pair.replace()
        #expect(pair.target.sealed == 10)
    }

    @Test("what was interrupted goes on where it was, and what was changed since is moved anew") func resumes()
        async throws
    {
        let pair = try await Pair(records: 7)
        #expect(try await pair.move().fresh == 7)
        #expect(try await pair.move().fresh == 0)
        pair.target.takeAway(true)
        try await pair.store.add("thing-7", by: pair.source)
        await #expect(throws: HSMError.self) { _ = try await pair.move() }
        pair.target.takeAway(false)
        try await pair.store.add("thing-2", by: pair.source)
        let moved = try await pair.move()
        #expect(moved.all == 8 && moved.fresh == 2)
    }

    @Test("nothing is proved or replaced that has no form, or was changed since it was proved") func refusesChanges()
        async throws
    {
        let pair = try await Pair(records: 4)
        #expect(await code { try await pair.prove() } == .notMoved)
        _ = try await pair.move()
        try await pair.prove()
        try await pair.store.add("thing-1", by: pair.source)
        #expect(await code { try await pair.replace(looksOnly: true) } == .notMoved)
        _ = try await pair.move()
        // It has a form, and the transcript is of the one before.
        #expect(await code { try await pair.replace(looksOnly: true) } == .notMoved)
        try await pair.store.add("thing-9", by: pair.source)
        _ = try await pair.move()
        try await pair.prove()
        try await pair.replace()
    }

    @Test("a record that stays what it was, because it changed under the last look, ends the replacing")
    func staysWhole()
        async throws
    {
        let pair = try await Pair(records: 2)
        _ = try await pair.move()
        try await pair.prove()
        var reader = try TranscriptReader(path: pair.transcript)
        let error = await #expect(throws: MigrationError.self) {
            try await Migrator.replace(
                ChangingStore(records: pair.store), by: pair.forms, transcript: &reader, looksOnly: false
            ) { _ in }
        }
        #expect(error?.code == .notMoved)
    }

    /// Whose rows are others whenever a form would take their place.
    private struct ChangingStore: TokenSealedStore {
        let records: MemoryStore
        var kind: String { records.kind }

        func page(after: String?) async throws -> (secrets: [TokenSealedSecret], end: String?) {
            try await records.page(after: after)
        }

        func put(_: [UInt8], insteadOf _: TokenSealedSecret) async throws -> Bool { false }
    }

    @Test("a form that opens to another secret is found out") func refusesAnother() async throws {
        let pair = try await Pair(records: 2)
        _ = try await pair.move()
        let form = try #require(try await pair.forms.form("things", "thing-1"))
        let other = MemoryStore()
        try await other.add("thing-1", by: pair.target)
        try await pair.forms.put(
            [MigrationForms.Form(name: "thing-1", row: form.row, bytes: try #require(other["thing-1"]))], of: "things")
        #expect(await code { try await pair.prove() } == .notSame)
    }

    @Test("the first line of a transcript that was changed, moved, removed or added is named") func namesTheLine()
        async throws
    {
        let pair = try await Pair(records: 5)
        _ = try await pair.move()
        try await pair.prove()
        let whole = try Data(contentsOf: URL(fileURLWithPath: pair.transcript))
        let lines = whole.split(separator: 0x0A, omittingEmptySubsequences: true).map { Data($0) }
        #expect(lines.count == 7)
        func found(_ lines: [Data]) throws -> String? {
            try Data(lines.map { $0 + [0x0A] }.joined()).write(to: URL(fileURLWithPath: pair.transcript))
            do {
                var reader = try TranscriptReader(path: pair.transcript)
                let counts = try reader.check()
                #expect(counts.count == 1 && counts[0].count == 5)
                return nil
            } catch let error as MigrationError {
                return error.message
            }
        }
        #expect(try found(lines) == nil)
        var generator = SystemRandomNumberGenerator()
        for number in lines.indices {
            for _ in 0..<20 {
                var line = lines[number]
                let place = line.startIndex + Int.random(in: 0..<line.count, using: &generator)
                line[place] ^= UInt8.random(in: 1...0x7F, using: &generator)
                guard line[place] != 0x0A else { continue }
                var changed = lines
                changed[number] = line
                let message = try #require(try found(changed), "a changed byte of line \(number + 1)")
                // The end has no hash of its own: one that is no end is called a record that is none.
                #expect(message.utf8.starts(with: "Line \(number + 1) ".utf8), "\(message)")
            }
            var removed = lines
            removed.remove(at: number)
            #expect(try found(removed) != nil)
            var doubled = lines
            doubled.insert(lines[number], at: number)
            #expect(try found(doubled) != nil)
        }
        #expect(try found([lines[0], lines[2], lines[1]] + lines[3...])?.utf8.starts(with: "Line 2 ".utf8) == true)
        try whole.dropLast(1).write(to: URL(fileURLWithPath: pair.transcript))
        #expect(await code { _ = try TranscriptReader(path: pair.transcript).checked() } == .transcript)
    }

    @Test("a page of a transcript has every record, and nothing in a name is markup") func makesAPage() async throws {
        let pair = try await Pair(records: 2)
        try await pair.store.add("thing-<script>&\"\u{202E}", by: pair.source)
        _ = try await pair.move()
        try await pair.prove()
        var lines: [String] = []
        try TranscriptPage.write(pair.transcript) { lines.append($0) }
        let page = lines.joined(separator: "\n")
        #expect(page.utf8.allSatisfy { $0 < 0x7F })
        #expect(page.contains("<td>thing-0</td>") && page.contains("<td>thing-&#60;script&#62;&#38;&#34;&#8238;</td>"))
        #expect(!page.contains("<script"))
    }

    @Test("a transcript that one of the keys has not signed is none") func needsBothSignatures() async throws {
        let pair = try await Pair(records: 1)
        _ = try await pair.move()
        try await pair.prove()
        var text = String(decoding: try Data(contentsOf: URL(fileURLWithPath: pair.transcript)), as: UTF8.self)
        let end = try #require(text.range(of: "\"targetSignature\":\""))
        let start = try #require(text.range(of: "\"sourceSignature\":\""))
        let source = String(text[start.upperBound...].prefix(128))
        text.replaceSubrange(end.upperBound..<text.index(end.upperBound, offsetBy: 128), with: source)
        try Data(text.utf8).write(to: URL(fileURLWithPath: pair.transcript))
        #expect(await code { _ = try TranscriptReader(path: pair.transcript).checked() } == .transcript)
    }
}

extension TranscriptReader {
    /// Reads all of it.
    fileprivate func checked() throws -> Int {
        var reader = self
        return try reader.check().count
    }
}

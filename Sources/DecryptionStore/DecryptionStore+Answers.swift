public import Decryption
import Encodings
import Foundation
import GRDB
import Storage

extension DecryptionStore: AnswerStoring {
    /// How long an answer can be asked for again, in seconds.
    private static let kept: Int64 = 3_600

    public func answer(_ requestID: [UInt8]) async throws(DecryptionError) -> KeptAnswer? {
        guard known.mayHave(requestID) else { return nil }
        let now = clock()
        return try await read(proven: false) { db in
            try Self.answer(requestID, db, now: now)
        }
    }

    public func keep(
        _ answer: KeptAnswer, for requestID: [UInt8]
    ) async throws(DecryptionError) -> KeptAnswer {
        let now = clock()
        do {
            return try await answers.perform(decides: false) { [self] db in
                do { return try keep(answer, for: requestID, db, now: now) } catch {
                    // What was written down there is undone.
                    known.forget()
                    throw error
                }
            }
        } catch { throw Self.translate(error) }
    }

    private func keep(_ answer: KeptAnswer, for requestID: [UInt8], _ db: Database, now: Int64) throws -> KeptAnswer {
        try makeRoom(db, now: now)
        let encoded = Self.encoded(answer)
        try db.cachedStatement(sql: "INSERT OR IGNORE INTO answers (request_id, answer, made_at) VALUES (?, ?, ?)")
            .execute(arguments: [Data(requestID), encoded, now])
        if db.changesCount == 1 {
            known.insert(requestID)
            return answer
        }
        if let first = try Self.answer(requestID, db, now: now) { return first }
        // One that is too old to be given out, and not removed yet.
        try db.cachedStatement(sql: "UPDATE answers SET answer = ?, made_at = ? WHERE request_id = ?")
            .execute(arguments: [encoded, now, Data(requestID)])
        return answer
    }

    /// Removes what is too old, once a second, and the oldest if there are as many as may be.
    private func makeRoom(_ db: Database, now: Int64) throws {
        if !known.isLoaded {
            // The index has both columns, so no answer is read for it.
            let ids = try Data.fetchAll(db, sql: "SELECT request_id FROM answers INDEXED BY answers_by_age")
            known.load(ids.map(Array.init))
        }
        if known.isDue(at: now) {
            known.remove(
                try Data.fetchAll(
                    try db.cachedStatement(sql: "DELETE FROM answers WHERE made_at < ? RETURNING request_id"),
                    arguments: [now - Self.kept]
                ).map(Array.init))
        }
        guard known.count >= mostAnswers else { return }
        // Some at once, so that not every answer from here on looks for the oldest one.
        known.remove(
            try Data.fetchAll(
                try db.cachedStatement(
                    sql: """
                        DELETE FROM answers WHERE request_id IN
                            (SELECT request_id FROM answers ORDER BY made_at LIMIT ?) RETURNING request_id
                        """), arguments: [known.count - mostAnswers + max(1, mostAnswers / 100)]
            ).map(Array.init))
    }

    private static func answer(_ requestID: [UInt8], _ db: Database, now: Int64) throws -> KeptAnswer? {
        let row = try Row.fetchOne(
            try db.cachedStatement(sql: "SELECT answer FROM answers WHERE request_id = ? AND made_at >= ?"),
            arguments: [Data(requestID), now - kept])
        guard let data = row.flatMap({ Data.fromDatabaseValue($0["answer"]) }) else { return nil }
        return try answer(stored: data)
    }
}

extension DecryptionStore {
    private static let form = "kmsd-answer-1"

    /// The stored form of an answer; docs/FORMATS.md.
    static func encoded(_ answer: KeptAnswer) -> Data {
        var fields = RecordFields(capacity: 512 + answer.result.count)
        for text in [form, answer.algorithm, answer.signer, answer.keyID, answer.chainID] { fields.append(text) }
        for bytes in [
            answer.digest, answer.result, answer.signature, answer.account, answer.handle, answer.headerHash,
            answer.appHash, answer.policy,
        ] { fields.append(bytes) }
        fields.append(UInt64(answer.fheType))
        fields.append(UInt64(bitPattern: answer.height))
        fields.append(UInt64(bitPattern: Int64(answer.noiseMargin)))
        return Data(fields.bytes)
    }

    /// Reads an answer that was kept. Rows of answers carry no seal, so one that kmsd would not have written must not get any
    /// further than here.
    static func answer(stored: Data) throws(DecryptionError) -> KeptAnswer {
        var fields = FieldReader(Array(stored))
        guard let form = fields.text(), form.utf8.elementsEqual(Self.form.utf8),
            let algorithm = fields.text(), let signer = fields.text(), let keyID = fields.text(),
            let chainID = fields.text(), let digest = fields.bytes(32), let result = fields.bytes(),
            let signature = fields.bytes(64), let account = fields.bytes(), [0, 20].contains(account.count),
            let handle = fields.bytes(32), let headerHash = fields.bytes(32), let appHash = fields.bytes(),
            let policy = fields.bytes(32),
            let type = fields.number().flatMap(UInt32.init(exactly:)),
            let height = fields.number().map(Int64.init(bitPattern:)), height >= 1,
            let margin = fields.number().map(Int64.init(bitPattern:)), fields.isAtEnd,
            DecryptionKeyRecord.isName(keyID)
        else { throw damaged }
        return KeptAnswer(
            digest: digest, result: result, signature: signature, algorithm: algorithm, signer: signer,
            account: account, keyID: keyID, handle: handle, fheType: type, chainID: chainID, height: height,
            headerHash: headerHash, appHash: appHash, noiseMargin: Int(margin), policy: policy)
    }
}

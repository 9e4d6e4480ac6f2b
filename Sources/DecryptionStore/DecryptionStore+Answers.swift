public import Decryption
import Foundation
import GRDB
import Synchronization

extension DecryptionStore: AnswerStoring {
    /// How long an answer can be asked for again, in seconds.
    private static let kept: Int64 = 3_600
    /// Most answers that are kept, and ``between`` more; the oldest go first.
    private static let most = 100_000
    /// Answers from one count to the next: counting 100,000 takes 5 ms, in which nobody else writes.
    private static let between = 1_000

    public func answer(_ requestID: [UInt8]) async throws(DecryptionError) -> KeptAnswer? {
        let now = Self.now
        return try await read(proven: false) { db in
            try Self.answer(requestID, db, now: now)
        }
    }

    public func keep(
        _ answer: KeptAnswer, for requestID: [UInt8]
    ) async throws(DecryptionError) -> KeptAnswer {
        let now = Self.now
        let counts = uncounted.wrappingAdd(1, ordering: .relaxed).oldValue % Self.between == 0
        do {
            let encoded = try Self.encoded(answer)
            return try await pool.write { db in
                try db.cachedStatement(sql: "DELETE FROM answers WHERE made_at < ?").execute(arguments: [
                    now - Self.kept
                ])
                if let first = try Self.answer(requestID, db, now: now) { return first }
                let count =
                    counts ? try Int.fetchOne(try db.cachedStatement(sql: "SELECT COUNT(*) FROM answers")) ?? 0 : 0
                if count >= Self.most {
                    try db.execute(
                        sql: """
                            DELETE FROM answers WHERE request_id IN
                                (SELECT request_id FROM answers ORDER BY made_at LIMIT ?)
                            """, arguments: [count - Self.most + 1])
                }
                try db.cachedStatement(sql: "INSERT INTO answers (request_id, answer, made_at) VALUES (?, ?, ?)")
                    .execute(arguments: [Data(requestID), encoded, now])
                return answer
            }
        } catch { throw Self.translate(error) }
    }

    private static func answer(_ requestID: [UInt8], _ db: Database, now: Int64) throws -> KeptAnswer? {
        let row = try Row.fetchOne(
            try db.cachedStatement(sql: "SELECT answer FROM answers WHERE request_id = ? AND made_at >= ?"),
            arguments: [Data(requestID), now - kept])
        guard let data = row.flatMap({ Data.fromDatabaseValue($0["answer"]) }) else { return nil }
        return try answer(stored: data)
    }

    static func encoded(_ answer: KeptAnswer) throws -> Data { try JSONEncoder().encode(answer) }

    /// Reads an answer that was kept. Rows of answers carry no seal, so one that kmsd would not have written must not get any
    /// further than here.
    static func answer(stored: Data) throws(DecryptionError) -> KeptAnswer {
        guard let answer = try? JSONDecoder().decode(KeptAnswer.self, from: stored), answer.height >= 1,
            answer.digest.count == 32, answer.handle.count == 32, answer.signature.count == 64,
            answer.headerHash.count == 32, [0, 20].contains(answer.account.count),
            DecryptionKeyRecord.isName(answer.keyID)
        else { throw damaged }
        return answer
    }

    private static var now: Int64 { Int64(Date().timeIntervalSince1970) }
}

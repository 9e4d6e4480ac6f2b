import Encodings
import Workers

/// One waiting caller; it is answered once, by whoever is first: the writer or the clock.
typealias AuditAnswer<Value: Sendable> = OneShot<Value, AuditError>

/// A record on its way into the chain.
struct AuditItem: Sendable {
    var kind: AuditRecord.Kind
    var event: RecordFields
    /// Of a revocation.
    var subject: String?
    var deadline: ContinuousClock.Instant
    /// Whether the record is tried again when a write fails, because it tells of what was done already.
    var isKept: Bool
    /// Told when the record is durable; nil if nobody waits for that.
    var answer: AuditAnswer<AuditPosition>?
    /// Told when the queue has taken the record; nil if nobody waits for that.
    var room: AuditAnswer<Void>?

    /// Whether the caller goes on as soon as the record is queued.
    var isPosted: Bool { answer == nil }

    var unanswered: AuditItem {
        var item = self
        item.answer = nil
        item.room = nil
        return item
    }

    func refuse(_ error: AuditError) {
        answer?.deliver(.failure(error))
        room?.deliver(.failure(error))
    }
}

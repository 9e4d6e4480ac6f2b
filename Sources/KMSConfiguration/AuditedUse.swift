/// What becomes of the records of key uses, which are many; all other decisions are on the disk before they are answered.
public enum AuditedUse: String, Sendable, CaseIterable {
    /// On the disk before the answer.
    case durable
    /// Handed over before the answer, on the disk some milliseconds after it.
    case queued
    /// Not recorded.
    case off
}

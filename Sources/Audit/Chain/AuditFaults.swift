/// Lets tests stop the process, or fail, at every point of a write.
struct AuditFaults: Sendable {
    enum Point: Hashable, Sendable {
        case beforeTransaction, beforeCommit, afterCommit
        /// Of a rotation: after its record, after each copied group of records, before and after the archive has its name, after
        /// the part is closed, after each group of removed records.
        case rotationRecorded, rotationPlanned, archiveGrew, archiveChecked, archiveNamed, partClosed, recordsRemoved
    }

    let reached: @Sendable (Point) throws -> Void

    static let none = AuditFaults { _ in }
}

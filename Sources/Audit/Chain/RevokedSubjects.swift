import LibCrypto
import Synchronization

/// What is revoked, in memory: 32 bytes for each subject, however long its name.
///
/// - Concurrency: any thread; a look takes one short lock.
final class RevokedSubjects: Sendable {
    private struct Name: Hashable {
        let words: (UInt64, UInt64, UInt64, UInt64)

        init(_ subject: String) throws(AuditError) {
            let digest = try AuditRecord.hash(Array(subject.utf8))
            func word(_ index: Int) -> UInt64 {
                digest[(8 * index)..<(8 * index + 8)].reduce(0) { $0 << 8 | UInt64($1) }
            }
            words = (word(0), word(1), word(2), word(3))
        }

        static func == (left: Name, right: Name) -> Bool { left.words == right.words }
        func hash(into hasher: inout Hasher) { hasher.combine(words.0) }
    }

    private let names = Mutex<Set<Name>>([])

    func insert(_ subject: String) throws(AuditError) {
        let name = try Name(subject)
        _ = names.withLock { $0.insert(name) }
    }

    func contains(_ subject: String) throws(AuditError) -> Bool {
        let name = try Name(subject)
        return names.withLock { $0.contains(name) }
    }
}

package import EnclaveLock
import Foundation
import KMSConfiguration

/// The lock slots of a home, in its file `slots.json`.
package struct SlotFile: Sendable {
    package let home: String

    package init(home: String) { self.home = home }

    package var path: String { home + "/slots.json" }

    /// Nil in a home without lock slots. What it says is proved when a slot is opened.
    package func read() throws -> RecoveryRecord? {
        guard let data = try DurableFile.contents(of: path, upTo: RecoveryRecord.longest) else { return nil }
        do throws(EnclaveLockError) {
            return try RecoveryRecord(decoding: [UInt8](data))
        } catch {
            throw ConfigurationError("'\(path)': \(error.message)")
        }
    }

    /// After a crash the old list is there, or this one.
    package func write(_ record: RecoveryRecord) throws {
        try DurableFile.store(Data(try record.encoded()), at: path, in: home)
    }
}

/// What a home's token needs to open what others sealed to its public key, in the file `recipient.json`. It holds no secret in
/// the clear.
package struct RecipientFile {
    package let home: String

    package init(home: String) { self.home = home }

    package var path: String { home + "/recipient.json" }

    private static let longest = 64 * 1024

    /// Nil where `kmsd slot recipient` was never run.
    package func read() throws -> RecipientRecord? {
        guard let data = try DurableFile.contents(of: path, upTo: Self.longest) else { return nil }
        do {
            return try JSONDecoder().decode(RecipientRecord.self, from: data)
        } catch {
            throw ConfigurationError("'\(path)' is damaged: \(PlainReason.of(error)). Restore it from the backup")
        }
    }

    package func write(_ record: RecipientRecord) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try DurableFile.store(try encoder.encode(record) + [0x0A], at: path, in: home)
    }
}

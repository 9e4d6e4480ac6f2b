import Encodings
import Foundation
import Glibc
import KMSConfiguration
package import Token

/// How far a migration has come, in `migration/state.json`.
package struct MigrationState: Codable, Sendable, Equatable {
    package enum Phase: String, Codable, Sendable {
        /// Records get their forms for the target; all else is as it was.
        case moving
        /// Forms take the records' places; there is no way back.
        case finishing
    }

    /// One of the two tokens, and what it was provisioned as.
    package struct Side: Codable, Sendable, Equatable {
        package var token: TokenIdentity
        package var instance: String
    }

    /// What the tokens' locks are called in records.
    package struct Locks: Codable, Sendable, Equatable {
        package var source: String
        package var target: String
    }

    package var version = 1
    package var phase: Phase
    package var source: Side
    package var target: Side
    /// Where the target is; names its PIN's file and holds no PIN.
    package var address: String
    /// Milliseconds since 1970.
    package var began: Int64
    /// Written with the phase `finishing`, whose end may have to do without the source.
    package var locks: Locks?
}

/// The directory `migration` of a home, which is there while a migration is: the target's manifest, the records' forms for it
/// and the transcript. Nothing in it is secret without one of the tokens.
package struct MigrationHome: Sendable {
    package let home: String

    package init(home: String) { self.home = home }

    package var directory: String { home + "/migration" }
    var statePath: String { directory + "/state.json" }
    var formsPath: String { directory + "/forms.sqlite" }
    package var transcriptPath: String { directory + "/transcript.jsonl" }
    /// Where transcripts of finished migrations stay.
    package var archive: String { home + "/migrations" }
    var manifest: ManifestFile { ManifestFile(home: directory) }

    private static let longest = 64 * 1024

    /// Nil while nothing is being migrated.
    package func state() throws -> MigrationState? {
        guard let data = try DurableFile.contents(of: statePath, upTo: Self.longest) else { return nil }
        do {
            let state = try JSONDecoder().decode(MigrationState.self, from: data)
            guard state.version == 1 else {
                throw ConfigurationError(
                    "'\(statePath)' has version \(state.version); this version of kmsd knows version 1")
            }
            return state
        } catch let error as DecodingError {
            throw ConfigurationError(
                "'\(statePath)' is damaged: \(PlainReason.of(error)). Restore the directory from the backup")
        }
    }

    /// Makes the directory, closed to others, if it is not there.
    func make() throws {
        guard mkdir(directory, 0o700) == 0 || errno == EEXIST else { throw DurableFile.failure("make", directory) }
        try HomeDirectory.check(directory)
    }

    func write(_ state: MigrationState) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try DurableFile.store(try encoder.encode(state) + [0x0A], at: statePath, in: directory)
    }

    /// Removes the forms and what proved them.
    func forget() throws {
        let manager = FileManager.default
        for name in try manager.contentsOfDirectory(atPath: directory)
        where name.startsExactly(with: "forms.sqlite") || name.startsExactly(with: "transcript.jsonl") {
            try manager.removeItem(atPath: directory + "/" + name)
        }
    }

    /// Removes the directory; what says that a migration is there goes last, so an interrupted removal is gone on with.
    func remove() throws {
        let manager = FileManager.default
        for name in try manager.contentsOfDirectory(atPath: directory) where !name.isExactly("state.json") {
            try manager.removeItem(atPath: directory + "/" + name)
        }
        guard unlink(statePath) == 0 || errno == ENOENT else { throw DurableFile.failure("remove", statePath) }
        guard rmdir(directory) == 0 else { throw DurableFile.failure("remove", directory) }
    }

    /// - Throws: ``CommandFailure`` while a migration has begun to end: records are those of either token then.
    package func refuseUnfinished() throws {
        guard let state = try state(), state.phase == .finishing else { return }
        throw CommandFailure(
            .configuration, code: "migration",
            "This home is going over to the token '\(state.target.token.label)': `kmsd migrate finish` ends that. "
                + "Nothing else works before.")
    }
}

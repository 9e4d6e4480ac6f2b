import Foundation
import Glibc
import KMSConfiguration
package import Token

/// The files of provisioning in the home directory: the journal of an instance being made, and the manifest of the one
/// that was.
package struct ManifestFile {
    package let home: String

    package init(home: String) { self.home = home }

    private var manifestPath: String { home + "/manifest.json" }
    private var journalPath: String { home + "/init.journal" }

    /// What was provisioned; nil before `kmsd init`.
    package func read() throws -> TokenManifest? {
        guard let data = try contents(of: manifestPath) else { return nil }
        do {
            let manifest = try JSONDecoder().decode(TokenManifest.self, from: data)
            guard manifest.format == 1 else {
                throw ConfigurationError(
                    "'\(manifestPath)' has format \(manifest.format); this version of kmsd knows format 1")
            }
            return manifest
        } catch let error as DecodingError {
            throw ConfigurationError(
                "'\(manifestPath)' is damaged: \(PlainReason.of(error)). Restore it from the backup")
        }
    }

    package func write(_ manifest: TokenManifest) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        var data = try encoder.encode(manifest)
        data.append(0x0a)
        try store(data, at: manifestPath)
    }

    /// The instance whose provisioning began and was not finished.
    package func interruptedInstance() throws -> String? {
        guard let data = try contents(of: journalPath) else { return nil }
        let instance = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard instance.count == 32,
            instance.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
        else {
            throw ConfigurationError("'\(journalPath)' is damaged; see which objects the token holds and remove it")
        }
        return instance
    }

    package func noteBeginning(of instance: String) throws { try store(Data((instance + "\n").utf8), at: journalPath) }

    package func forgetInterruption() throws {
        guard unlink(journalPath) == 0 || errno == ENOENT else { throw DurableFile.failure("remove", journalPath) }
    }

    private func contents(of path: String) throws -> Data? { try DurableFile.contents(of: path) }

    private func store(_ data: Data, at path: String) throws { try DurableFile.store(data, at: path, in: home) }
}

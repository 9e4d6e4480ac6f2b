import Foundation
import Glibc
import HSMBridge

/// The files of provisioning in the home directory: the journal of an instance being made, and the manifest of the one
/// that was.
///
/// A file is written aside, flushed, renamed into place and the directory flushed, so after a crash it is there whole
/// or not at all.
struct ManifestFile {
    let home: String

    private var manifestPath: String { home + "/manifest.json" }
    private var journalPath: String { home + "/init.journal" }

    /// What was provisioned; nil before `kmsd init`.
    func read() throws -> TokenManifest? {
        guard let data = try contents(of: manifestPath) else { return nil }
        do {
            let manifest = try JSONDecoder().decode(TokenManifest.self, from: data)
            guard manifest.format == 1 else {
                throw ConfigurationError(
                    "'\(manifestPath)' has format \(manifest.format); this version of kmsd knows format 1")
            }
            return manifest
        } catch let error as DecodingError {
            throw ConfigurationError("'\(manifestPath)' cannot be read: \(error)")
        }
    }

    func write(_ manifest: TokenManifest) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        var data = try encoder.encode(manifest)
        data.append(0x0a)
        try store(data, at: manifestPath)
    }

    /// The instance whose provisioning began and was not finished.
    func interruptedInstance() throws -> String? {
        guard let data = try contents(of: journalPath) else { return nil }
        let instance = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard instance.count == 32,
            instance.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
        else {
            throw ConfigurationError("'\(journalPath)' is damaged; see which objects the token holds and remove it")
        }
        return instance
    }

    func noteBeginning(of instance: String) throws { try store(Data((instance + "\n").utf8), at: journalPath) }

    func forgetInterruption() throws {
        guard unlink(journalPath) == 0 || errno == ENOENT else { throw Self.failure("remove", journalPath) }
    }

    private func contents(of path: String) throws -> Data? {
        guard FilePresence.exists(path) else { return nil }
        do {
            return try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw ConfigurationError("'\(path)' cannot be read: \(error.localizedDescription)")
        }
    }

    private func store(_ data: Data, at path: String) throws {
        let aside = path + ".new"
        let descriptor = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.failure("create", aside) }
        var rest = Array(data)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let failure = Self.failure("write", aside)
                close(descriptor)
                throw failure
            }
            rest = rest.dropFirst(count)
        }
        guard fchmod(descriptor, 0o600) == 0, fsync(descriptor) == 0, close(descriptor) == 0 else {
            throw Self.failure("flush", aside)
        }
        guard rename(aside, path) == 0 else { throw Self.failure("rename", aside) }
        let directory = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw Self.failure("open", home) }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw Self.failure("flush", home) }
    }

    private static func failure(_ verb: String, _ path: String) -> CommandFailure {
        let reason = errno
        let isRefused = reason == EACCES || reason == EPERM || reason == EROFS
        return CommandFailure(
            isRefused ? .permission : .failed, code: "file",
            "Could not \(verb) '\(path)': \(String(cString: strerror(reason)))")
    }
}

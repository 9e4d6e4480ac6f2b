import CDispatch
import CoreFoundation
import Encodings
import Glibc
import SecretMemory
import Yams

/// Reads the configuration file strictly: one flat YAML mapping of known keys, each once, each with a value.
enum ConfigurationFile {
    /// Larger files are refused.
    static let maximumBytes = 64 * 1024

    struct Entry: Equatable {
        var text: String
        var line: Int
    }

    /// Reads a file that only its owner can write, or a credential.
    ///
    /// - Throws: ``ConfigurationError`` naming the file, the line and the remedy.
    // exact: names of settings, which the catalogue writes in ASCII.
    static func read(path: String) throws -> [String: Entry] {
        let descriptor = try opened(path)
        defer { close(descriptor) }
        var info = stat()
        guard fstat(descriptor, &info) == 0 else { throw refused(path, String(cString: strerror(errno))) }
        guard info.st_mode & S_IFMT == S_IFREG else { throw refused(path, "is not a regular file") }
        guard info.st_uid == geteuid() || info.st_uid == 0 else {
            throw refused(path, "belongs to user \(info.st_uid), not to this user or root", isAboutRights: true)
        }
        guard info.st_mode & 0o022 == 0 else {
            throw refused(path, "can be written by others; chmod go-w it", isAboutRights: true)
        }
        guard info.st_size <= maximumBytes else { throw refused(path, "is larger than \(maximumBytes) bytes") }
        var bytes = [UInt8](repeating: 0, count: maximumBytes)
        var count = 0
        while count < bytes.count {
            let length = bytes.withUnsafeMutableBytes { buffer in
                Glibc.read(descriptor, buffer.baseAddress.map { $0 + count }, buffer.count - count)
            }
            if length < 0, errno == EINTR { continue }
            guard length >= 0 else { throw refused(path, String(cString: strerror(errno))) }
            if length == 0 { break }
            count += length
        }
        guard let text = String(validating: bytes[..<count], as: UTF8.self) else {
            throw refused(path, "is not UTF-8")
        }
        return try parse(text, name: path)
    }

    private static func opened(_ path: String) throws(ConfigurationError) -> Int32 {
        if path.startsExactly(with: "credential:") {
            do throws(SecretFileError) {
                return try CredentialDirectory.open(String(path.dropFirst("credential:".count)), isSecret: false)
            } catch {
                throw ConfigurationError(
                    "configuration file \(error.message)", isAboutRights: error.isAboutRights)
            }
        }
        let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            let reason = errno
            if reason == ELOOP {
                let remedy =
                    "name the file itself, or, for a mounted volume of Kubernetes, credential:NAME with "
                    + "credentials-directory"
                throw refused(path, "is a symbolic link; \(remedy)", isAboutRights: true)
            }
            throw refused(path, String(cString: strerror(reason)), isAboutRights: reason == EACCES)
        }
        return descriptor
    }

    /// Parses the text of a file; `name` is for messages.
    // exact: names of settings, which the catalogue writes in ASCII.
    static func parse(_ text: String, name: String) throws -> [String: Entry] {
        let node: Node?
        do {
            node = try Yams.compose(yaml: text)
        } catch let error as YamlError {
            throw ConfigurationError("\(name): \(describe(error))")
        }
        guard let node else { return [:] }
        if case .scalar(let scalar) = node, scalar.string.isEmpty { return [:] }
        guard case .mapping(let mapping) = node else {
            throw ConfigurationError("\(name): the file is not a list of 'key: value' lines")
        }
        var entries: [String: Entry] = [:]  // exact: names of settings, which the catalogue writes in ASCII.
        for (keyNode, valueNode) in mapping {
            let line = keyNode.mark?.line ?? 0
            guard case .scalar(let keyScalar) = keyNode else {
                throw ConfigurationError("\(name):\(line): a key is not a plain word")
            }
            let key = keyScalar.string
            guard let known = ConfigurationKey.byName[key] else {
                throw ConfigurationError("\(name):\(line): \(ConfigurationValues.unknown(key))")
            }
            guard known.isAllowedInFile else {
                throw ConfigurationError(
                    "\(name):\(line): '\(key)' says where this file is, so it cannot be set in it; use --\(key) or "
                        + "\(known.environment)")
            }
            guard entries[key] == nil else { throw ConfigurationError("\(name):\(line): '\(key)' is given twice") }
            guard case .scalar(let value) = valueNode else {
                throw ConfigurationError(
                    "\(name):\(line): '\(key)' must be \(known.expectation), not a list or mapping")
            }
            if value.style == .plain, ["", "~", "null", "Null", "NULL"].contains(value.string) {
                throw ConfigurationError("\(name):\(line): '\(key)' has no value; leave the line out for the default")
            }
            entries[key] = Entry(text: value.string, line: line)
        }
        return entries
    }

    private static func describe(_ error: YamlError) -> String {
        switch error {
        case .duplicatedKeysInMapping(let duplicates, let context):
            let names = duplicates.map { "'\($0)'" }.joined(separator: ", ")
            return "\(names) is given twice (mapping at line \(context.mark.line))"
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            return "line \(mark.line): \(problem)"
        default: return "the file is not YAML"
        }
    }

    private static func refused(_ path: String, _ why: String, isAboutRights: Bool = false) -> ConfigurationError {
        ConfigurationError("configuration file '\(path)': \(why)", isAboutRights: isAboutRights)
    }
}

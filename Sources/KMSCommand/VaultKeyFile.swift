import Encodings
import KMSConfiguration

/// Ids of the keys that are in users' vaults, as an operator hands them over: one line a key, its keystore's id and its own,
/// with a tab between them. A line with a keystore's id alone names a keystore without keys.
///
/// TrustBloc's store has no list of them, and a vault's server sees names made by a MAC only: the users know them.
enum VaultKeyFile {
    static let longest = 16 << 20

    /// Key ids by keystore.
    ///
    /// - Throws: ``ConfigurationError`` naming the line.
    static func keys(_ bytes: [UInt8]) throws(ConfigurationError) -> [ExactText: [String]] {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw ConfigurationError("it is not UTF-8") }
        var keys: [ExactText: [String]] = [:]
        var seen: Set<ExactText> = []
        for (index, line) in text.splitExactly(at: "\n").enumerated() {
            if line.isEmpty { continue }
            let parts = line.splitExactly(at: "\t")
            guard parts.count <= 2, parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } })
            else {
                throw ConfigurationError(
                    "line \(index + 1): expected a keystore's id and a key's, with a tab between them")
            }
            guard seen.insert(ExactText(line)).inserted else {
                throw ConfigurationError("line \(index + 1): it is there twice")
            }
            keys[ExactText(parts[0]), default: []] += parts.dropFirst().map { String($0) }
        }
        return keys
    }
}

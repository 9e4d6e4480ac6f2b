package import Audit
import DecryptionStore
package import KMSConfiguration
import Keystores
import SplitKeys
package import Storage

/// The databases that the audit chain knows of, by the names it gives them.
package enum SealedDatabase: String, CaseIterable, Sendable {
    case keystores = "kmsd.sqlite"
    case shares = "shares.sqlite"
    case vault = "vault.sqlite"
    case decryption = "decryption.sqlite"

    package func path(_ settings: Configuration) -> String {
        switch self {
        case .keystores: settings.databasePath
        case .shares: Application.sharesPath(home: settings.home)
        case .vault: Application.vaultPath(home: settings.home)
        case .decryption: Application.decryptionPath(home: settings.home)
        }
    }

    /// Opens or makes the file, for its seal alone.
    package func seal(_ settings: Configuration) throws -> StateSeal {
        switch self {
        case .keystores: try SQLiteKeystoreStore(path: path(settings)).seal
        case .shares: try AuthorityService.seal(ofStore: path(settings))
        case .vault: try VaultService.seal(ofStore: path(settings))
        case .decryption: try DecryptionStore(path: path(settings)).seal
        }
    }

    /// What a file that is only read says of its own place.
    package func claim(ofFile path: String) throws -> StateSeal.Claim {
        switch self {
        case .keystores: try SQLiteKeystoreStore.claim(ofFile: path)
        case .shares: try AuthorityService.claim(ofFile: path)
        case .vault: try VaultService.claim(ofFile: path)
        case .decryption: try DecryptionStore.claim(ofFile: path)
        }
    }
}

extension AuditParts {
    /// What the chain's last record tells, unproven; nil if there is no chain, or none that can be read.
    package static func told(home: String) -> AuditHead? {
        let path = path(home: home)
        guard FilePresence.exists(path) else { return nil }
        return try? AuditReader(path: path, isDatabase: true).lastHead()
    }

    /// How a chain without a record looks beside a database that is there; nil unless it was lost or emptied. A chain begins with
    /// the first start, which makes the databases, too.
    package static func loss(_ settings: Configuration) -> String? {
        guard told(home: settings.home) == nil else { return nil }
        let path = path(home: settings.home)
        let left = SealedDatabase.allCases.map { $0.path(settings) }.first { FilePresence.exists($0) }
        return left.map { left in
            "'\(path)' \(FilePresence.exists(path) ? "has no record" : "is missing"), while '\(left)' is there"
        }
    }
}

import Audit
import DecryptionStore
import Encodings
import KMSConfiguration
import Keystores
import SplitKeys
import Token

/// What of a home still needs its token: what no lock slot opens. Counted in the files, and signed by the token's audit key.
package struct TokenNeeds: Encodable, Sendable {
    /// Keystores that the token's lock alone opens.
    package var keystores = 0
    /// Keys that live in the token.
    package var residentKeys = 0
    /// The daemon's own DID keys.
    package var didKeys = 0
    /// Server shares and anchors of split keys.
    package var serverShares = 0
    /// Wallets and user shares of split keys.
    package var wallets = 0
    /// Keys of the decryption API.
    package var decryptionKeys = 0
    /// Keystores whose row is damaged: nobody knows what they need.
    package var damaged = 0

    package var total: Int {
        keystores + residentKeys + didKeys + serverShares + wallets + decryptionKeys + damaged
    }

    /// With the names that are signed and shown.
    package var named: [(name: String, count: Int)] {
        [
            ("keystores", keystores), ("resident keys", residentKeys), ("DID keys", didKeys),
            ("server shares and anchors", serverShares), ("wallets and user shares", wallets),
            ("decryption keys", decryptionKeys), ("damaged keystores", damaged),
        ]
    }

    /// Reads the files of a home.
    static func count(_ settings: Configuration) async throws -> TokenNeeds {
        var needs = TokenNeeds()
        if let (_, reach) = try await SlotWork(settings).list() {
            needs.keystores = reach.waiting["token"] ?? 0
            needs.damaged = reach.damaged
        }
        func counted(_ path: String, _ count: (String) throws -> Int) throws -> Int {
            FilePresence.exists(path) ? try count(path) : 0
        }
        let (database, home) = (settings.databasePath, settings.home)
        needs.residentKeys = try counted(database, SQLiteKeystoreStore.residentKeys(ofFile:))
        needs.didKeys = try counted(database, SQLiteKeystoreStore.tokenDIDKeys(ofFile:))
        needs.serverShares = try counted(Application.sharesPath(home: home), AuthorityService.count(ofFile:))
        needs.wallets = try counted(Application.vaultPath(home: home), VaultService.count(ofFile:))
        needs.decryptionKeys = try counted(
            Application.decryptionPath(home: home), DecryptionStore.countOfToken(ofFile:))
        return needs
    }
}

/// The audit key's word on what still needs its token.
package struct SignedNeeds: Encodable, Sendable {
    package var needs: TokenNeeds
    package var instance: String
    /// The token's serial number.
    package var token: String
    /// Milliseconds since 1970.
    package var time: Int64
    /// SHA-256 of the audit key's SubjectPublicKeyInfo in hex.
    package var key: String
    /// r ‖ s in hex.
    package var signature = ""

    /// What is signed; docs/FORMATS.md has the bytes.
    var encoded: [UInt8] {
        var fields = RecordFields(.tokenNeeds)
        fields.append(instance)
        fields.append(token)
        fields.append(UInt64(bitPattern: time))
        fields.append(key)
        for (name, count) in needs.named {
            fields.append(name)
            fields.append(UInt64(clamping: count))
        }
        return fields.bytes
    }
}

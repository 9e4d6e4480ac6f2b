import DecryptionStore
import EnclaveLock
import KMSConfiguration
import Keystores
import Migration
import SplitKeys
package import Token

/// What a migration would do, said before anything is done.
package struct MigrationPlan: Encodable, Sendable {
    /// Records that move.
    package struct Route: Encodable, Sendable {
        package var kind: String
        package var count: Int
        package var route: String
        package var exposure: String
    }

    /// What does not move.
    package struct Rest: Encodable, Sendable {
        package var kind: String
        package var count: Int
        package var reason: String
        package var instead: String
    }

    package var source: TokenIdentity
    package var target: TokenIdentity
    package var routes: [Route] = []
    /// What needs the source and cannot leave it; while there is any of it, nothing moves.
    package var stays: [Rest] = []
    /// Keys of the daemon that the target makes anew, and what follows.
    package var anew: [Rest] = []

    package var total: Int { routes.reduce(0) { $0 + $1.count } }

    static let exposure =
        "in this process, in locked memory, for the time of one opening and sealing; as whenever it is used"

    /// What no token lets out.
    static func stays(_ settings: Configuration) throws -> [Rest] {
        func counted(_ path: String, _ count: (String) throws -> Int) throws -> Int {
            FilePresence.exists(path) ? try count(path) : 0
        }
        var stays: [Rest] = []
        let residents = try counted(settings.databasePath, SQLiteKeystoreStore.residentKeys(ofFile:))
        if residents > 0 {
            stays.append(
                Rest(
                    kind: "resident keys", count: residents,
                    reason: "the source unwraps them as keys that never leave it (CKA_UNWRAP_TEMPLATE, fixedTPM)",
                    instead:
                        "make new keys in another home on the target, let them succeed these, and destroy these here"
                ))
        }
        let anchors = try counted(Application.sharesPath(home: settings.home), SplitKeyMoves.heldAnchors(ofFile:))
        if anchors > 0 {
            stays.append(
                Rest(
                    kind: "anchors", count: anchors, reason: "the source holds their scalars and lets none out",
                    instead: "make these wallets anew in a home on the target, and remove them here"))
        }
        if FilePresence.exists(RecipientFile(home: settings.home).path) {
            stays.append(
                Rest(
                    kind: "recipient.json", count: 1,
                    reason:
                        "the agreement key of the public key that others seal lock slots to never leaves the source",
                    instead:
                        "have the other homes add a slot for another token and remove this one's, then remove recipient.json"
                ))
        }
        return stays
    }

    static func anew(_ manifest: TokenManifest) -> [Rest] {
        var anew = [
            Rest(
                kind: "audit key", count: 1, reason: "it never leaves the source",
                instead: "the audit chain goes over to the target's by a record that both keys sign"),
            Rest(
                kind: "result key", count: 1, reason: "it never leaves the source",
                instead: "whoever pinned it for results of decryptions needs the target's (`kmsd decryption key`)"),
        ]
        if manifest.attestationKey != nil {
            anew.append(
                Rest(
                    kind: "attestation key", count: 1, reason: "it never leaves the source",
                    instead: "attestations are made by the target's way from then on"))
        }
        return anew
    }
}

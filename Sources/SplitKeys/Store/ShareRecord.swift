import EnclaveLock
import Encodings

/// The server's half of a split key as stored. Nothing in it is trusted before its sealed part opens with it.
struct ShareRecord: Sendable, Hashable {
    /// Drawn at set-up; names this life of the key in the revocation ledger.
    var nonce: String
    var userID: ExactText
    var clientID: String
    /// Encoded; the wallet's public key.
    var clientKey: [UInt8]
    /// Encoded; the user share's public key. Its hex names the row.
    var peerKey: [UInt8]
    /// As given at set-up; the official tests give a value that is not the server share's key.
    var publicKey: [UInt8]
    var suite: SplitSuite
    var policy: SplitPolicy
    /// Names the anchor's row; nil for a suite without anchors.
    var anchor: String?
    /// Whether the key was born here; foreign ones get 0Chain's tolerances in the compat profile.
    var isForeign: Bool
    /// The anchor's correction, or the whole server share without an anchor; empty once revoked.
    var sealed: [UInt8]
    var isRevoked: Bool
    /// Unix seconds.
    var createdAt: Int64
    /// Unix seconds; 0 before the first signature. Not authenticated: it decides nothing.
    var lastUsed: Int64

    var peerText: String { Hexadecimal.encode(peerKey) }

    /// What the ledger of revocations calls this life of the key.
    var subject: String { "split:\(clientID):\(peerText):\(nonce)" }

    /// What the sealed part opens with: everything that decides about a signature.
    func context() throws(SplitKeyError) -> [UInt8] {
        var fields = RecordFields(.splitServerShare)
        fields.append(nonce)
        fields.append(userID.text)
        fields.append(clientID)
        fields.append(clientKey)
        fields.append(peerKey)
        fields.append(publicKey)
        fields.append(suite.rawValue)
        fields.append(try policy.hash())
        fields.append(optional: anchor.map { Array($0.utf8) })
        fields.append(UInt64(isForeign ? 1 : 0))
        return fields.bytes
    }
}

/// An anchor's row.
struct AnchorRow: Sendable, Hashable {
    var id: String
    var userID: ExactText
    var clientID: String
    /// JSON of an anchor record.
    var record: [UInt8]

    /// Part of what is sealed with the anchor.
    var identity: RecordIdentity {
        RecordIdentity(tenant: userID.text, keystore: clientID, key: id, type: "split-anchor", version: 1)
    }
}

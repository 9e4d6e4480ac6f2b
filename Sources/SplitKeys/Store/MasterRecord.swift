import EnclaveLock
import Encodings

/// A wallet as the vault stores it.
struct MasterRecord: Sendable, Hashable {
    var clientID: String
    var userID: ExactText
    /// Encoded.
    var clientKey: [UInt8]
    var suite: SplitSuite
    /// The anchor's name at the co-signing role; nil for a suite without anchors.
    var anchor: String?
    /// A ``SplitProtection``'s name.
    var protection: String
    /// The anchor's public key, encoded; empty without an anchor.
    var anchorKey: [UInt8]
    /// The master key less the anchor, sealed; without an anchor the master key.
    var sealed: [UInt8]
    /// Unix seconds.
    var createdAt: Int64

    /// What the sealed part opens with.
    var context: [UInt8] {
        var fields = RecordFields(.splitMaster)
        fields.append(clientID)
        fields.append(userID.text)
        fields.append(clientKey)
        fields.append(suite.rawValue)
        fields.append(optional: anchor.map { Array($0.utf8) })
        fields.append(anchorKey)
        return fields.bytes
    }
}

/// A split key as the vault stores it.
struct SplitRecord: Sendable, Hashable {
    var clientID: String
    var userID: ExactText
    var clientKey: [UInt8]
    /// The user share's public key, encoded; its hex names the row.
    var publicKey: [UInt8]
    /// The server share's public key, encoded.
    var peerKey: [UInt8]
    var sharedTo: ExactText
    var isRevoked: Bool
    /// Whether the co-signing role may not have it yet.
    var isPending: Bool
    var policy: SplitPolicy
    /// The user share, sealed; empty if it was given out once only.
    var sealed: [UInt8]
    /// Unix seconds.
    var createdAt: Int64

    var publicText: String { Hexadecimal.encode(publicKey) }

    /// What the share opens with. Whom it is shared to is part of it: that decides who may read it.
    var context: [UInt8] {
        var fields = RecordFields(.splitUserShare)
        fields.append(clientID)
        fields.append(userID.text)
        fields.append(publicKey)
        fields.append(peerKey)
        fields.append(sharedTo.text)
        return fields.bytes
    }
}

import Capabilities
import Encodings
public import WorkingKeys

/// Names documents so that a vault's server learns neither key ids nor, across keystores, that two are equal.
public enum DocumentIdentifier {
    /// The store whose records these are; part of every name.
    static let store = "kmsdb"

    /// Base58 of the first 16 bytes of the MAC of the store's name and the key's id. The MAC begins with the MAC key's
    /// 5-byte prefix, so names of one keystore begin alike.
    ///
    /// - Throws: what ``WorkingKey/mac(_:)`` throws.
    public static func make(for key: String, mac: WorkingKey) throws(WorkingKeyError) -> String {
        Base58.encode(Array(try mac.mac(Array((store + key).utf8)).prefix(16)))
    }
}

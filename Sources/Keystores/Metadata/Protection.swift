/// Where a key's operations run; a fact told for every key, never more than is true.
public enum Protection: String, Codable, Sendable, CaseIterable {
    /// Sealed under the keystore's lock key, which the secret lock seals; used in locked memory of this process.
    case sealed
    /// Operations run inside the token; the private key leaves it only wrapped by a key that never does.
    case resident
}

/// How a key came to be here; set once at birth and authenticated with the record.
public enum Provenance: String, Codable, Sendable, CaseIterable {
    /// Generated inside the token.
    case bornInToken = "born-in-token"
    /// Generated in this process.
    case bornInDaemon = "born-in-daemon"
    /// Handed in by a caller, who may hold copies.
    case imported
    /// Moved from another token or store.
    case migrated
}

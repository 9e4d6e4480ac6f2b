public import Foundation

/// What may be told about a keystore.
public struct KeystoreMetadata: Codable, Sendable, Hashable {
    /// One way to open a keystore's lock key, without the sealed bytes.
    public struct LockSlotSummary: Codable, Sendable, Hashable {
        /// Number of the slot, from 1.
        public var id: Int
        /// Kind of lock, such as `token` or `localFile`.
        public var kind: String
        /// Which lock of that kind.
        public var identity: String

        public init(id: Int, kind: String, identity: String) {
            self.id = id
            self.kind = kind
            self.identity = identity
        }
    }

    /// 20 characters of an xid.
    public var id: String
    /// Who may act on it: a DID or DID URL, verbatim as given at creation.
    public var controller: String
    /// Protection of every key made in it.
    public var protection: Protection
    public var lockSlots: [LockSlotSummary]
    /// The user's vault that keeps the keys' sealed bytes; nil if they are here.
    public var vaultURL: String?
    public var createdAt: Date

    public init(
        id: String, controller: String, protection: Protection, lockSlots: [LockSlotSummary], vaultURL: String? = nil,
        createdAt: Date
    ) {
        self.id = id
        self.controller = controller
        self.protection = protection
        self.lockSlots = lockSlots
        self.vaultURL = vaultURL
        self.createdAt = createdAt
    }
}

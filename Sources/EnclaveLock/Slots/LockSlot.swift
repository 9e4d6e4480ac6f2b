public import Foundation

/// One way to open a keystore's lock key: the key sealed by one lock.
public struct LockSlot: Codable, Sendable, Hashable {
    /// Number of the slot in its record, from 1; part of the sealed identity.
    public var id: Int
    public var kind: LockKind
    /// The lock's ``SecretLock/identity``; finds the lock, grants nothing.
    public var identity: String
    /// The lock's output; base64 in JSON.
    public var sealed: Data
    /// Milliseconds since 1970.
    public var createdAt: Int64

    public init(id: Int, kind: LockKind, identity: String, sealed: Data, createdAt: Int64) {
        self.id = id
        self.kind = kind
        self.identity = identity
        self.sealed = sealed
        self.createdAt = createdAt
    }
}

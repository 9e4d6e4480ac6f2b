import EnclaveLock
import Encodings
import LibCrypto

/// What a split key may sign. Part of what its server share is sealed with, so an edited row signs nothing.
public struct SplitPolicy: Sendable, Hashable {
    /// Most groups of one key.
    public static let mostRestrictions = 64

    /// Groups of functions; a transaction needs its function in one of them.
    public var restrictions: [String]
    /// Unix seconds from which the key signs no more; 0 for never.
    public var expiresAt: Int64
    /// Whether the key signs bare hashes, which go around the restrictions.
    public var allowsMessages: Bool
    /// Whether a transaction's hash is computed again and compared.
    public var verifiesHash: Bool

    public init(
        restrictions: [String] = [], expiresAt: Int64 = 0, allowsMessages: Bool = true, verifiesHash: Bool = true
    ) {
        self.restrictions = restrictions
        self.expiresAt = expiresAt
        self.allowsMessages = allowsMessages
        self.verifiesHash = verifiesHash
    }

    /// Whether a key signs bare hashes if nobody said so: they go around the restrictions, so a key that has some does not.
    ///
    /// - Parameter isUsual: Whether a key without restrictions does.
    public static func allowsMessages(restrictions: [String], isUsual: Bool) -> Bool {
        isUsual && restrictions.isEmpty
    }

    /// With other restrictions.
    ///
    /// - Parameter allowsMessages: What the caller says of bare hashes; nil if nothing: then restrictions end them, and
    ///   none restore nothing.
    func restricted(to names: [String], allowsMessages: Bool?) -> SplitPolicy {
        var policy = self
        policy.restrictions = names
        policy.allowsMessages =
            allowsMessages ?? (self.allowsMessages && Self.allowsMessages(restrictions: names, isUsual: true))
        return policy
    }

    /// Canonical bytes: every field, each preceded by its length; the restrictions sorted.
    var canonical: [UInt8] {
        var fields = RecordFields(.splitPolicy)
        fields.append(UInt64(restrictions.count))
        for name in restrictions.sorted(by: { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }) {
            fields.append(name)
        }
        fields.append(UInt64(bitPattern: expiresAt))
        fields.append(UInt64(allowsMessages ? 1 : 0))
        fields.append(UInt64(verifiesHash ? 1 : 0))
        return fields.bytes
    }

    /// SHA-256 of the canonical bytes; what receipts name.
    public func hash() throws(SplitKeyError) -> [UInt8] {
        do { return try Digest.sha256(canonical) } catch {
            throw SplitKeyError(.internalFailure, "internal error", underlying: error)
        }
    }

    /// - Parameter now: Unix seconds.
    func isExpired(at now: Int64) -> Bool { expiresAt > 0 && now >= expiresAt }
}

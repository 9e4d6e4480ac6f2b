public import Encodings
public import HybridSealing
public import SecretMemory

/// A lock that seals to a token's public key, and opens only where that token is.
public struct HybridSlotLock: SecretLock {
    private let recipient: HybridRecipient
    private let opener: TokenRecipient?
    public let identity: String
    public var kind: LockKind { .hybrid }

    /// - Parameter opener: Has the private halves; nil for a token that is not here.
    public init(recipient: HybridRecipient, opener: TokenRecipient? = nil) throws(EnclaveLockError) {
        let name: String
        do throws(HybridSealingError) {
            name = try recipient.fingerprint
        } catch {
            throw EnclaveLockError.failed("Could not name a public key", error)
        }
        self.recipient = recipient
        self.opener = opener
        identity = "hybrid:" + name
    }

    public func seal(
        _ secret: SharedSecret, identity: RecordIdentity, caller _: CallerShare?
    ) async throws(EnclaveLockError) -> [UInt8] {
        try Self.seal(secret, to: recipient, identity: identity)
    }

    public func open(
        _ sealed: [UInt8], identity: RecordIdentity, caller _: CallerShare?
    ) async throws(EnclaveLockError) -> SharedSecret {
        guard let opener else {
            throw EnclaveLockError(.noMatchingSlot, "The token of '\(self.identity)' is not here.")
        }
        return try await opener.open(sealed, info: Self.info(identity))
    }

    static func seal(
        _ secret: SharedSecret, to recipient: HybridRecipient, identity: RecordIdentity
    ) throws(EnclaveLockError) -> [UInt8] {
        do {
            return try secret.withSecret { try HybridSealing.seal($0, to: recipient, info: info(identity)) }
        } catch {
            throw EnclaveLockError.failed("Could not seal to a public key", error)
        }
    }

    /// HPKE's info: what the sealed bytes are for, and whose.
    static func info(_ identity: RecordIdentity) -> [UInt8] {
        RecordFields(.hybridSlot).bytes + identity.associatedData
    }
}

/// A signature that was used and is dated later than the clock was then, so that its time does not tell after a restart
/// that it was used before it.
public struct SpentSignature: Sendable, Hashable {
    /// What ``ReplayWindow`` knows it by; at most 64 bytes.
    public let name: [UInt8]
    /// Seconds since 1970.
    public let created: Int64

    public init(name: [UInt8], created: Int64) {
        self.name = name
        self.created = created
    }

    /// Nil for a signature that is not dated ahead: after a restart its time alone refuses it.
    public init?(name: [UInt8], created: Int64?, now: Int64) {
        guard let created, created > now else { return nil }
        self.init(name: name, created: created)
    }
}

/// Remembers over a restart which signatures that are dated ahead were used.
public protocol SignatureLedger: Sendable {
    /// Returns when it is written durably.
    ///
    /// - Parameters:
    ///   - owner: Whose request it was: a keystore's controller, or a token's caller. Each has a share of what is kept.
    ///   - now: Seconds since 1970; what is dated up to it may be forgotten.
    /// - Throws: if it cannot be written, or too many wait; the request must be refused then.
    func keep(_ spent: SpentSignature, owner: String, now: Int64) async throws
}

extension SignatureLedger {
    /// For requests of nobody in particular.
    public func keep(_ spent: SpentSignature, now: Int64) async throws {
        try await keep(spent, owner: "", now: now)
    }
}

/// Signatures that were used before a start.
public struct EarlierSignatures: Sendable {
    /// Signatures dated earlier are refused; seconds since 1970. A second later than the start's, since a process before
    /// this one may have served within the same second.
    public let since: Int64
    /// Used ones that are dated later.
    public let spent: [SpentSignature]

    public init(since: Int64, spent: [SpentSignature] = []) {
        self.since = since
        self.spent = spent
    }

    /// Where none was used before, as in tests.
    public static let none = EarlierSignatures(since: .min)
}

/// Where a record stands in the chain.
public struct AuditPosition: Sendable, Hashable {
    /// From 1, without gaps.
    public var index: UInt64
    /// SHA-256 of the record and of everything before it; 32 bytes.
    public var hash: [UInt8]

    public init(index: UInt64, hash: [UInt8]) {
        self.index = index
        self.hash = hash
    }
}

/// Takes the record of every decision.
///
/// - Concurrency: any number of calls at once; nothing blocks the caller's thread.
public protocol AuditRecording: Sendable {
    /// Returns when the record is durable. A caller that gets an error refuses what it was about to allow.
    func record(_ event: AuditEvent) async throws(AuditError) -> AuditPosition

    /// Returns when the record states the epoch of every database that it watches, as far as that is durable now.
    func tellStates() async throws(AuditError)
}

extension AuditRecording {
    public func tellStates() async throws(AuditError) {}
}

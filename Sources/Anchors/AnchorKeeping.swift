public import Encodings
public import Pairing
public import SecretMemory

/// Holds the infrastructure's scalars of split keys and multiplies hash points by them.
///
/// Nothing here takes a caller's point: a message goes in and is hashed inside.
///
/// - Concurrency: any number of calls at once.
public protocol AnchorKeeping: Sendable {
    /// Whether new anchors live in the token, or are sealed by it because it cannot hold them.
    var mode: AnchorRecord.Mode { get async throws(AnchorError) }

    /// Takes a scalar into keeping and proves that what is kept is what was given; the caller's copy is not needed
    /// again.
    ///
    /// - Parameters:
    ///   - scalar: 32 bytes, little-endian, in 1..<r.
    ///   - identity: Part of what is sealed; the same one is needed at every use.
    func take(_ scalar: SharedSecret, identity: RecordIdentity) async throws(AnchorError) -> AnchorRecord

    /// `[h]H(message)`, authenticated against the record's public key. It must not leave the daemon.
    func multiply(
        _ record: AnchorRecord, _ message: BLS0Chain.HashedMessage, identity: RecordIdentity
    ) async throws(AnchorError) -> BN254.G1Point

    /// Drops what is live of an anchor; its record is what makes it work again, and goes with the row.
    func forget(_ record: AnchorRecord) async

    /// Destroys an anchor for good where the token holds it as an object; where it is wrapped or sealed, destroying the
    /// record is what does that, and this only forgets it.
    func destroy(_ record: AnchorRecord, identity: RecordIdentity) async throws(AnchorError)
}

extension AnchorKeeping {
    public func destroy(_ record: AnchorRecord, identity: RecordIdentity) async throws(AnchorError) {
        await forget(record)
    }
}

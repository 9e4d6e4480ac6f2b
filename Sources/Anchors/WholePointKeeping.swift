public import Encodings
public import Pairing
public import SecretMemory

/// Holds the infrastructure's scalars of wallets on TPM_ECC_BN_P256, and multiplies hash points by them.
///
/// Nothing here takes a caller's point: a message goes in and is hashed inside. There is no sealed form: a wallet asks for
/// this curve so that the scalar is used nowhere but in a TPM.
///
/// - Concurrency: any number of calls at once.
public protocol WholePointKeeping: Sendable {
    /// Takes a scalar into keeping and proves that what is kept is what was given; the caller's copy is not needed again.
    ///
    /// - Parameters:
    ///   - scalar: 32 bytes, big-endian, in 1 ..< r.
    ///   - identity: Part of what is sealed; the same one is needed at every use.
    /// - Throws: `.unsupported` if the token has no such curve.
    func take(_ scalar: SharedSecret, identity: RecordIdentity) async throws(AnchorError) -> AnchorRecord

    /// `[h]H(message)`, a point of the curve. It must not leave the daemon, and what it is added to must be verified.
    func multiply(
        _ record: AnchorRecord, _ message: BLSBNP256.HashedMessage, identity: RecordIdentity
    ) async throws(AnchorError) -> BNP256.G1Point

    /// Drops what is loaded of an anchor; it ends for good with its record.
    func forget(_ record: AnchorRecord) async
}

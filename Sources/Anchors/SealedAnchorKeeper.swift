public import Encodings
public import Pairing
public import SecretMemory
public import Token

/// Anchors that the token seals under its key for servers' shares. Each use opens the scalar into locked memory for one
/// constant-time multiplication; none is kept open.
public struct SealedAnchorKeeper: AnchorKeeping {
    private let token: any Sealing

    public init(token: any Sealing) { self.token = token }

    public var mode: AnchorRecord.Mode { .sealed }

    public func take(
        _ scalar: SharedSecret, identity: RecordIdentity
    ) async throws(AnchorError) -> AnchorRecord {
        let birth = try AnchorBirth(scalar)
        let context = try AnchorContext.bytes(
            identity, mode: .sealed, publicKey: birth.publicKey.encoded, point: birth.point.encoded)
        do throws(HSMError) {
            let blob = try await token.seal(scalar, under: .shareLockServer, context: context)
            let record = birth.record(.sealed, blob)
            // What cannot be opened again is not taken.
            let opened = try await token.open(blob, under: .shareLockServer, context: context)
            guard scalar.withSecret({ scalar in opened.withSecret { scalar.constantTimeEquals($0) } }) else {
                throw HSMError(.deviceFailure, "The token opens another scalar than it sealed.")
            }
            return record
        } catch {
            throw AnchorError.from(error, "The token did not seal an anchor")
        }
    }

    public func multiply(
        _ record: AnchorRecord, _ message: BLS0Chain.HashedMessage, identity: RecordIdentity
    ) async throws(AnchorError) -> BN254.G1Point {
        let context = try AnchorContext.bytes(
            identity, mode: .sealed, publicKey: record.publicKey, point: record.point)
        let scalar: SharedSecret
        do throws(HSMError) {
            scalar = try await token.open(record.blob, under: .shareLockServer, context: context)
        } catch {
            throw AnchorError.from(error, "A sealed anchor did not open")
        }
        do throws(PairingError) {
            return try scalar.withUnsafeBytes { scalar throws(PairingError) in
                try BLS0Chain.sign(message, secretKey: scalar)
            }
        } catch {
            throw AnchorError(.damaged, "A sealed anchor holds no scalar: \(error)")
        }
    }

    public func forget(_ record: AnchorRecord) async {}
}

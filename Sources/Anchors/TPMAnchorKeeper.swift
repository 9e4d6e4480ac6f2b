public import Encodings
import LibCrypto
public import Pairing
public import SecretMemory
import Synchronization
package import Token

/// Anchors in a TPM: keys on TPM_ECC_BN_P256 that only multiply.
///
/// What lives where: the record is public values and a blob that this TPM sealed, with the record's identity and its
/// public values as context. Inside is the scalar as a key that only this TPM loads.
///
/// - Concurrency: any number of calls at once. The TPM is asked once whether it has the curve; one that is away is asked
///   again.
public final class TPMAnchorKeeper: WholePointKeeping {
    private let token: any ScalarMultiplication
    private let seal: AnchorSeal
    private let opened = OpenedAnchors<AnchorBlob>()
    private let known = Mutex<Bool?>(nil)

    package init(token: any ScalarMultiplication) {
        self.token = token
        seal = AnchorSeal(token: token)
    }

    public func take(
        _ scalar: SharedSecret, identity: RecordIdentity
    ) async throws(AnchorError) -> AnchorRecord {
        guard try await canMultiply() else {
            throw AnchorError(.unsupported, "This TPM does not compute on TPM_ECC_BN_P256.")
        }
        let publicKey: BNP256.G2Point
        let point: BNP256.G1Point
        do throws(PairingError) {
            publicKey = try scalar.withUnsafeBytes { bytes throws(PairingError) in
                try BLSBNP256.publicKey(of: bytes)
            }
            point = try scalar.withUnsafeBytes { bytes throws(PairingError) in
                try BLSBNP256.anchorPoint(of: bytes)
            }
        } catch {
            throw AnchorError(.internalFailure, "An anchor's scalar has 32 bytes in 1 ..< r: \(error)")
        }
        guard BLSBNP256.isAnchor(point, of: BNP256.PreparedPublicKey(publicKey)), let encoded = point.uncompressed
        else { throw AnchorError(.internalFailure, "The two public values of an anchor are not of one scalar.") }
        let blob: AnchorBlob
        do throws(HSMError) {
            blob = try await token.importMultiplier(scalar, point: encoded)
        } catch {
            throw AnchorError(.tokenFailed, "The TPM did not import an anchor.", cause: error)
        }
        try await confirm(blob, scalar)
        return try await seal.record(blob, publicKey: publicKey.compressed, point: point.compressed, identity)
    }

    public func multiply(
        _ record: AnchorRecord, _ message: BLSBNP256.HashedMessage, identity: RecordIdentity
    ) async throws(AnchorError) -> BNP256.G1Point {
        let blob: AnchorBlob
        if let found = opened.find(record, identity) {
            blob = found
        } else {
            blob = try await seal.open(record, identity)
            opened.insert(blob, record, identity)
        }
        return try await product(message, by: blob)
    }

    public func forget(_ record: AnchorRecord) async {
        if let blob = opened.remove(record) { await token.forgetMultiplier(blob) }
    }

    private func canMultiply() async throws(AnchorError) -> Bool {
        if let known = known.withLock({ $0 }) { return known }
        do throws(HSMError) {
            let found = try await token.canMultiply()
            known.withLock { $0 = found }
            return found
        } catch {
            throw AnchorError(.tokenFailed, "The TPM did not say which curves it has.", cause: error)
        }
    }

    /// Compares what the TPM answers for a hashed message that nobody foresaw.
    private func confirm(_ blob: AnchorBlob, _ scalar: SharedSecret) async throws(AnchorError) {
        let message: BLSBNP256.HashedMessage
        let expected: BNP256.G1Point
        do {
            message = try BLSBNP256.HashedMessage(try Random.bytes(32))
            expected = try scalar.withUnsafeBytes { try BLSBNP256.sign(message, secretKey: $0) }
        } catch {
            throw AnchorError(.internalFailure, "An anchor's confirmation could not be computed: \(error)")
        }
        guard try await product(message, by: blob) == expected else {
            await token.forgetMultiplier(blob)
            throw AnchorError.wrongAnswer("the key it imported is another one")
        }
    }

    private func product(
        _ message: BLSBNP256.HashedMessage, by blob: AnchorBlob
    ) async throws(AnchorError) -> BNP256.G1Point {
        guard let point = message.point.uncompressed else {
            throw AnchorError(.internalFailure, "A message's hash is infinity.")
        }
        let answer: [UInt8]
        do throws(HSMError) {
            answer = try await token.product(point, by: blob)
        } catch {
            throw AnchorError.from(error, "The TPM did not multiply by an anchor")
        }
        do throws(PairingError) {
            return try BNP256.G1Point(uncompressed: answer)
        } catch {
            // What is loaded may be what is wrong: the next use starts from the record.
            await token.forgetMultiplier(blob)
            throw AnchorError.wrongAnswer("\(error)")
        }
    }
}

import Pairing
import Synchronization

/// A public key ready to verify.
enum VerifyingKey: Sendable {
    case bls0chain(BN254.PreparedPublicKey)
    case bls12381(BLS12381.PreparedPublicKey)
    case blsTPM(BNP256.PreparedPublicKey)
}

/// Public keys that verified a short while ago: decoding one checks its subgroup, which costs as much as a pairing.
///
/// - Concurrency: any number of calls at once.
final class VerifyingKeys: Sendable {
    /// About 20 kB each.
    static let capacity = 2_048

    private let keys = Mutex<[[UInt8]: VerifyingKey]>([:])

    /// - Throws: `.faulty` for what is no public key: only stored keys are looked up, and they were checked at set-up.
    func key(_ encoded: [UInt8], _ suite: SplitSuite) throws(SplitKeyError) -> VerifyingKey {
        if let key = keys.withLock({ $0[encoded] }) { return key }
        let key: VerifyingKey
        do throws(PairingError) {
            switch suite {
            case .bls0chain:
                key = .bls0chain(BN254.PreparedPublicKey(try BN254.G2Point(encoded: encoded)))
            case .bls12381MinSig:
                key = .bls12381(BLS12381.PreparedPublicKey(try BLS12381.G2Point(compressed: encoded)))
            case .blsTPM:
                key = .blsTPM(BNP256.PreparedPublicKey(try BNP256.G2Point(compressed: encoded)))
            }
        } catch {
            throw .damaged("split key", error)
        }
        keys.withLock { keys in
            if keys.count >= Self.capacity, let victim = keys.keys.first { keys[victim] = nil }
            keys[encoded] = key
        }
        return key
    }
}

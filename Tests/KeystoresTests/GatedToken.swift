import Token
import WorkingKeys

/// A token whose answers can be held up. Its signatures are no signatures and its word is nobody's; only their coming and
/// going is tested.
struct GatedToken: ResidentKeyOperations {
    let gate = Gate()
    var residentAlgorithms: Set<ResidentAlgorithm> { [.p256] }

    func generateResident(_ algorithm: ResidentAlgorithm) async throws(HSMError) -> ResidentKeyBlob {
        do {
            return ResidentKeyBlob(
                identifier: [UInt8](repeating: 1, count: 16), algorithm: algorithm, wrapped: [1, 2, 3],
                publicKey: try KeyMaterial.generate(.ecdsaP256P1363).rawPublicKey)
        } catch {
            throw HSMError(.deviceFailure, "\(error)")
        }
    }

    func sign(digest: [UInt8], with key: ResidentKeyBlob) async throws(HSMError) -> [UInt8] {
        await gate.pass()
        return [UInt8](repeating: 1, count: 64)
    }

    func attest(_ key: ResidentKeyBlob, nonce: [UInt8]) async throws(HSMError) -> ResidentKeyEvidence {
        await gate.pass()
        return .tpm(
            TPMEvidence(publicArea: key.publicKey ?? [], attest: nonce, signature: [], attestationKey: key.identifier))
    }

    func mac(_ data: [UInt8], with key: ResidentKeyBlob) async throws(HSMError) -> [UInt8] { throw Self.unsupported }
    func encrypt(
        _ plaintext: [UInt8], nonce: [UInt8], associatedData: [UInt8], with key: ResidentKeyBlob
    ) async throws(HSMError) -> [UInt8] { throw Self.unsupported }
    func decrypt(
        _ ciphertext: [UInt8], nonce: [UInt8], associatedData: [UInt8], with key: ResidentKeyBlob
    ) async throws(HSMError) -> [UInt8] { throw Self.unsupported }
    func forget(_ identifier: [UInt8]) async {}

    private static let unsupported = HSMError(.mechanismUnsupported, "This token signs only.")
}

import Decryption
import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import SwiftProtobuf

/// The service of generation GA.
struct EarlyGeneration: Sendable {
    static let name = "kms.KmsEndpoint"
    let front: Front

    func register(_ router: inout RPCRouter<Transport>) {
        front.answering(&router, Self.name, "Decrypt", .gaDecryption, decrypt)
        front.answering(&router, Self.name, "Reencrypt", .gaReencryption, reencrypt)
    }

    private func decrypt(
        _ message: GADecryptionRequest, _ caller: DecryptionService.Caller
    ) async throws(DecryptionError) -> Front.Grounded<GADecryptionResponse> {
        let payload = message.payload
        var request = LegacyRequest(.ga, .decrypt)
        request.signature = [UInt8](message.signature)
        request.verificationKey = [UInt8](payload.verificationKey)
        request.fheType = try number(payload.fheType.rawValue)
        request.ciphertext = [UInt8](payload.ciphertext)
        request.randomness = [UInt8](payload.randomness)
        request.height = payload.proof.height
        request.proof = [UInt8](payload.proof.merklePatriciaProof)
        let answer = try await front.service.decrypt(request, caller: caller)
        let response = GADecryptionResponse.with {
            $0.signature = Data(answer.signature)
            $0.payload = .with {
                $0.sharesNeeded = 1
                $0.verificationKey = Data(answer.verificationKey)
                $0.plaintext = Data(answer.plaintext)
                $0.digest = Data(answer.digest)
                $0.randomness = payload.randomness
            }
        }
        return (response, answer.grounds)
    }

    private func reencrypt(
        _ message: GAReencryptionRequest, _ caller: DecryptionService.Caller
    ) async throws(DecryptionError) -> Front.Grounded<GAReencryptionResponse> {
        let payload = message.payload
        var request = LegacyRequest(.ga, .reencrypt)
        request.signature = [UInt8](message.signature)
        request.verificationKey = [UInt8](payload.verificationKey)
        request.encryptionKey = [UInt8](payload.encKey)
        request.fheType = try number(payload.fheType.rawValue)
        request.ciphertext = [UInt8](payload.ciphertext)
        request.randomness = [UInt8](payload.randomness)
        request.height = payload.proof.height
        request.proof = [UInt8](payload.proof.merklePatriciaProof)
        let answer = try await front.service.reencrypt(
            request, authorization: try Authorizations.read(message.userAuth),
            list: try Authorizations.list(message.acl), caller: caller)
        let response = GAReencryptionResponse.with {
            $0.sharesNeeded = 1
            $0.verificationKey = Data(answer.verificationKey)
            $0.fheType = payload.fheType
            $0.signcryptedCiphertext = Data(answer.signcrypted)
            $0.digest = Data(answer.digest)
        }
        return (response, answer.grounds)
    }

    private func number(_ value: Int) throws(DecryptionError) -> UInt32 {
        guard let number = UInt32(exactly: value) else {
            throw DecryptionError(.invalid, "unknown-type", "fhe_type is negative")
        }
        return number
    }
}

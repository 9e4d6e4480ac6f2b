import Decryption
import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import SwiftProtobuf

/// The service as full nodes of February 2024 asked it. Both pairs of methods check alike: nothing is decrypted unproven.
struct NodeGeneration: Sendable {
    static let name = "kms.KmsEndpoint"
    let front: Front

    func register(_ router: inout RPCRouter<Transport>) {
        for method in ["Validate_and_decrypt", "Decrypt"] {
            front.answering(&router, Self.name, method, .gnDecryption, decrypt)
        }
        for method in ["Validate_and_reencrypt", "Reencrypt"] {
            front.answering(&router, Self.name, method, .gnReencryption, reencrypt)
        }
    }

    private func decrypt(
        _ message: GNDecryptionRequest, _ caller: DecryptionService.Caller
    ) async throws(DecryptionError) -> Front.Grounded<GNDecryptionResponse> {
        var request = try Self.request(.decrypt, message.fheType, message.ciphertext, message.request)
        request.height = message.proof.height
        request.proof = [UInt8](message.proof.merklePatriciaProof)
        let answer = try await front.service.decrypt(request, caller: caller)
        let response = GNDecryptionResponse.with {
            $0.signature = Data(answer.signature)
            $0.fheType = message.fheType
            $0.plaintext = answer.value.reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        return (response, answer.grounds)
    }

    private func reencrypt(
        _ message: GNReencryptionRequest, _ caller: DecryptionService.Caller
    ) async throws(DecryptionError) -> Front.Grounded<GNReencryptionResponse> {
        var request = try Self.request(.reencrypt, message.fheType, message.ciphertext, message.request)
        request.height = message.proof.height
        request.proof = [UInt8](message.proof.merklePatriciaProof)
        let answer = try await front.service.reencrypt(
            request, authorization: try Authorizations.read(message.userAuth),
            list: try Authorizations.list(message.acl), caller: caller)
        let response = GNReencryptionResponse.with {
            $0.reencryptedCiphertext = Data(answer.signcrypted)
            $0.fheType = message.fheType
        }
        return (response, answer.grounds)
    }

    private static func request(
        _ purpose: LegacyRequest.Purpose, _ type: GNFheType, _ ciphertext: Data, _ content: Data
    ) throws(DecryptionError) -> LegacyRequest {
        guard let number = UInt32(exactly: type.rawValue) else {
            throw DecryptionError(.invalid, "unknown-type", "fhe_type is negative")
        }
        var request = LegacyRequest(.gn, purpose)
        request.fheType = number
        request.ciphertext = [UInt8](ciphertext)
        request.content = [UInt8](content)
        // What GB's response has, which this one signs and does not show.
        (request.version, request.serversNeeded) = (1, 1)
        return request
    }
}

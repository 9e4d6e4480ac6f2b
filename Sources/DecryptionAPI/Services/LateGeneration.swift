import Decryption
import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import SwiftProtobuf

/// The service of generation GB. Keys are made and published by operators only, so these methods tell what there is and
/// refuse the rest.
struct LateGeneration: Sendable {
    static let name = "kms.KmsEndpoint"
    let front: Front

    func register(_ router: inout RPCRouter<Transport>) {
        front.answering(&router, Self.name, "Decrypt", .gbDecryption, decrypt)
        front.answering(&router, Self.name, "Reencrypt", .gbReencryption, reencrypt)
        front.unary(&router, Self.name, "GetAllKeys", .any, getAllKeys)
        front.unary(&router, Self.name, "GetKey", .any, getKey)
        front.unary(&router, Self.name, "KeyGen", .any, keyGen)
        front.unary(&router, Self.name, "CrsCeremony", .any, crsCeremony)
        front.unary(&router, Self.name, "CrsRequest", .any, crsRequest)
    }

    private func decrypt(
        _ message: GBDecryptionRequest, _ caller: DecryptionService.Caller
    ) async throws(DecryptionError) -> Front.Grounded<GBDecryptionResponse> {
        var request = LegacyRequest(.gb, .decrypt)
        request.version = message.version
        request.serversNeeded = message.serversNeeded
        request.randomness = [UInt8](message.randomness)
        request.fheType = try number(message.fheType.rawValue)
        request.keyHandle = message.keyHandle
        request.ciphertext = [UInt8](message.ciphertext)
        request.height = message.proof.height
        request.proof = [UInt8](message.proof.merklePatriciaProof)
        let answer = try await front.service.decrypt(request, caller: caller)
        let response = GBDecryptionResponse.with {
            $0.signature = Data(answer.signature)
            $0.payload = .with {
                $0.version = message.version
                $0.serversNeeded = message.serversNeeded
                $0.verificationKey = Data(answer.verificationKey)
                $0.digest = Data(answer.digest)
                $0.plaintext = Data(answer.plaintext)
            }
        }
        return (response, answer.grounds)
    }

    private func reencrypt(
        _ message: GBReencryptionRequest, _ caller: DecryptionService.Caller
    ) async throws(DecryptionError) -> Front.Grounded<GBReencryptionResponse> {
        let payload = message.payload
        var request = LegacyRequest(.gb, .reencrypt)
        request.signature = [UInt8](message.signature)
        request.version = payload.version
        request.serversNeeded = payload.serversNeeded
        request.verificationKey = [UInt8](payload.verificationKey)
        request.randomness = [UInt8](payload.randomness)
        request.encryptionKey = [UInt8](payload.encKey)
        request.fheType = try number(payload.fheType.rawValue)
        request.keyHandle = payload.keyHandle
        request.ciphertext = [UInt8](payload.ciphertext)
        request.height = message.proof.height
        request.proof = [UInt8](message.proof.merklePatriciaProof)
        let answer = try await front.service.reencrypt(
            request, authorization: try Authorizations.read(message.userAuth),
            list: try Authorizations.list(message.acl), caller: caller)
        let response = GBReencryptionResponse.with {
            $0.version = payload.version
            $0.serversNeeded = payload.serversNeeded
            $0.verificationKey = Data(answer.verificationKey)
            $0.digest = Data(answer.digest)
            $0.fheType = payload.fheType
            $0.signcryptedCiphertext = Data(answer.signcrypted)
        }
        return (response, answer.grounds)
    }

    private static let noPublicKeys =
        "this server publishes no public keys: take them from where the key was made"

    private func getAllKeys(
        _ message: GBGetAllKeysRequest, _ caller: DecryptionService.Caller
    ) async throws(DecryptionError) -> GBGetAllKeysResponse {
        let keys = try await front.service.keys.store.keys()
        return GBGetAllKeysResponse.with { answer in
            // A handle without a place: there is nothing to fetch.
            for key in keys where key.state == .enabled { answer.handles[key.id] = "" }
        }
    }

    private func getKey(
        _ message: GBGetKeyRequest, _ caller: DecryptionService.Caller
    ) async throws(DecryptionError) -> GBKeyResponse {
        guard DecryptionKeyRecord.isName(message.keyHandle) else {
            throw DecryptionError(.invalid, "malformed-key-id", "key_handle is 1 to 64 ASCII letters and digits")
        }
        throw DecryptionError(.notFound, "no-public-key", Self.noPublicKeys)
    }

    private func keyGen(
        _ message: GBKeyGenRequest, _ caller: DecryptionService.Caller
    ) async throws(DecryptionError) -> GBKeyResponse {
        throw DecryptionError(
            .unimplemented, "key-generation", "keys are imported by an operator: kmsd decryption key import")
    }

    private func crsCeremony(
        _ message: GBCrsCeremonyRequest, _ caller: DecryptionService.Caller
    ) async throws(DecryptionError) -> GBCrsResponse { throw Self.noCeremony }

    private func crsRequest(
        _ message: GBCrsHandle, _ caller: DecryptionService.Caller
    ) async throws(DecryptionError) -> GBCrsResponse { throw Self.noCeremony }

    private static let noCeremony = DecryptionError(
        .unimplemented, "crs", "this server makes and keeps no common reference strings")

    private func number(_ value: Int) throws(DecryptionError) -> UInt32 {
        guard let number = UInt32(exactly: value) else {
            throw DecryptionError(.invalid, "unknown-type", "fhe_type is negative")
        }
        return number
    }
}

import Decryption
import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import LightClient
import SwiftProtobuf
import TFHE

/// `kmsd.decryption.v1.Decryption`.
struct OwnService: Sendable {
    static let name = "kmsd.decryption.v1.Decryption"
    let front: Front

    func register(_ router: inout RPCRouter<Transport>) {
        front.answering(&router, Self.name, "PublicDecrypt", .publicDecryption, publicDecrypt)
        front.answering(&router, Self.name, "UserDecrypt", .userDecryption, userDecrypt)
        front.unary(&router, Self.name, "GetKey", .any, getKey)
        front.unary(&router, Self.name, "ListKeys", .any, listKeys)
        front.unary(&router, Self.name, "GetStatus", .any, getStatus)
        front.unary(&router, Self.name, "AttestKey", .attestation, attestKey)
    }

    private func publicDecrypt(
        _ message: OwnPublicDecryptRequest, _ caller: DecryptionService.Caller
    ) async throws(DecryptionError) -> Front.Grounded<OwnPublicDecryptResponse> {
        let (answer, grounds) = try await front.service.answer(
            OwnRequest(
                requestID: [UInt8](message.requestID), keyID: message.keyID, ciphertext: [UInt8](message.ciphertext),
                format: try Self.format(message.format), fheType: try Self.number(message.fheType),
                arrayLength: message.arrayLength, height: message.proof.height, proof: [UInt8](message.proof.proofOps)),
            caller: caller)
        let response = OwnPublicDecryptResponse.with {
            $0.requestDigest = Data(answer.digest)
            $0.fheType = message.fheType
            $0.plaintext = Data(answer.result)
            $0.verified = Self.verified(answer)
            $0.signatures = [Self.signature(answer)]
        }
        return (response, grounds)
    }

    private func userDecrypt(
        _ message: OwnUserDecryptRequest, _ caller: DecryptionService.Caller
    ) async throws(DecryptionError) -> Front.Grounded<OwnUserDecryptResponse> {
        var receiver = OwnRequest.Receiver(
            encryptionKey: [UInt8](message.encKey), authorization: nil, encodedAuthorization: [])
        if message.hasUserAuth {
            receiver.authorization = try Authorizations.read(message.userAuth)
            do { receiver.encodedAuthorization = try message.userAuth.serializedBytes() } catch {
                throw DecryptionError(.failed, "internal", "an authorisation could not be written")
            }
        }
        if message.hasAcl {
            receiver.list = Authorizations.list(message.acl)
            do { receiver.encodedList = try message.acl.serializedBytes() } catch {
                throw DecryptionError(.failed, "internal", "a list could not be written")
            }
        }
        let (answer, grounds) = try await front.service.answer(
            OwnRequest(
                requestID: [UInt8](message.requestID), keyID: message.keyID, ciphertext: [UInt8](message.ciphertext),
                format: try Self.format(message.format), fheType: try Self.number(message.fheType),
                arrayLength: message.arrayLength, height: message.proof.height, proof: [UInt8](message.proof.proofOps),
                receiver: receiver),
            caller: caller)
        let response = OwnUserDecryptResponse.with {
            $0.requestDigest = Data(answer.digest)
            $0.fheType = message.fheType
            $0.signcryptedCiphertext = Data(answer.result)
            $0.verified = Self.verified(answer)
            $0.signatures = [Self.signature(answer)]
            $0.account = Data(answer.account)
        }
        return (response, grounds)
    }

    private func getKey(
        _ message: OwnGetKeyRequest, _ caller: DecryptionService.Caller
    ) async throws(DecryptionError) -> OwnKey {
        guard DecryptionKeyRecord.isName(message.keyID) else {
            throw DecryptionError(.invalid, "malformed-key-id", "a key's name is 1 to 64 ASCII letters and digits")
        }
        guard let record = try await front.service.keys.store.key(message.keyID) else {
            throw DecryptionError(.notFound, "unknown-key", "there is no key of that name")
        }
        return Self.key(record)
    }

    private func listKeys(
        _ message: OwnListKeysRequest, _ caller: DecryptionService.Caller
    ) async throws(DecryptionError) -> OwnListKeysResponse {
        let keys = try await front.service.keys.store.keys()
        return OwnListKeysResponse.with { $0.keys = keys.map(Self.key) }
    }

    private func attestKey(
        _ message: OwnAttestKeyRequest, _ caller: DecryptionService.Caller
    ) async throws(DecryptionError) -> OwnAttestKeyResponse {
        let attestation = try await front.service.attest(
            message.keyID, nonce: [UInt8](message.nonce), by: front.attesting, caller: caller)
        return OwnAttestKeyResponse.with { $0.attestation = attestation }
    }

    private func getStatus(
        _ message: OwnGetStatusRequest, _ caller: DecryptionService.Caller
    ) async throws(DecryptionError) -> OwnGetStatusResponse {
        let keys = try await front.service.keys.store.keys()
        let head = await front.service.headers.latest()
        let key = try await front.service.signer.key()
        return OwnGetStatusResponse.with {
            $0.chainID = front.service.headers.chainID
            switch head {
            case .success(let header):
                $0.verifiedHeight = UInt64(header.height)
                $0.headAgeSeconds = UInt64(max(0, Int64(Date().timeIntervalSince1970) - header.time.seconds))
            case .failure(let error): $0.lightClientProblem = "\(error)"
            }
            $0.keys = keys.map(Self.key)
            $0.resultKey = Data(key.compressed)
            $0.resultAlgorithm = key.algorithm
        }
    }

    static func key(_ record: DecryptionKeyRecord) -> OwnKey {
        OwnKey.with {
            $0.keyID = record.id
            $0.state = record.state.rawValue
            $0.messageModulus = UInt32(record.parameters.messageModulus)
            $0.carryModulus = UInt32(record.parameters.carryModulus)
            $0.order = record.parameters.order == .big ? "big" : "small"
            $0.length = UInt32(record.parameters.length)
            $0.fingerprint = Data(record.fingerprint)
        }
    }

    static func verified(_ answer: KeptAnswer) -> OwnVerifiedHeader {
        OwnVerifiedHeader.with {
            $0.chainID = answer.chainID
            $0.height = UInt64(answer.height)
            $0.headerHash = Data(answer.headerHash)
            $0.appHash = Data(answer.appHash)
        }
    }

    private static func signature(_ answer: KeptAnswer) -> OwnSignature {
        OwnSignature.with {
            $0.algorithm = answer.algorithm
            $0.keyID = answer.signer
            $0.signature = Data(answer.signature)
        }
    }

    static func format(_ format: OwnCiphertextFormat) throws(DecryptionError) -> CiphertextFormat {
        switch format {
        case .raw04: .raw04
        case .raw0506: .raw06
        case .safe03: .safe03
        case .safe05: .safe05
        case .raw1: .raw1
        case .concreteArray: .concreteArray
        default:
            throw DecryptionError(
                .invalid, "unknown-format", "format must name one of the known formats; nothing is guessed")
        }
    }

    private static func number(_ type: OwnFheType) throws(DecryptionError) -> UInt32 {
        guard let number = UInt32(exactly: type.rawValue) else {
            throw DecryptionError(.invalid, "unknown-type", "fhe_type is negative")
        }
        return number
    }
}

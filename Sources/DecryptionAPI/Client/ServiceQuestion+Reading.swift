public import Decryption
import Foundation
import SwiftProtobuf

extension ServiceQuestion {
    /// Reads a message that a client kept.
    ///
    /// - Parameter generation: Nil for the own service.
    /// - Throws: What protobuf throws; ``DecryptionError`` for an unknown format or scheme.
    public init(
        _ bytes: [UInt8], generation: Generation?, purpose: LegacyRequest.Purpose
    ) throws {
        guard let generation else {
            self = .own(try Self.own(bytes, isPublic: purpose == .decrypt))
            return
        }
        switch generation {
        case .ga: self = try Self.early(bytes, purpose)
        case .gb: self = try Self.late(bytes, purpose)
        case .gn: self = try Self.node(bytes, purpose)
        }
    }

    /// The list of permissible decryptors in it, if it has one that can be read.
    public var list: PermissibleDecryptors? {
        switch self {
        case .own(let request): request.receiver?.list
        case .legacy(_, _, let list): (try? Authorizations.list(Data(list))) ?? nil
        }
    }

    private static func early(_ bytes: [UInt8], _ purpose: LegacyRequest.Purpose) throws -> ServiceQuestion {
        var request = LegacyRequest(.ga, purpose)
        if purpose == .decrypt {
            let message = try GADecryptionRequest(serializedBytes: bytes)
            request.signature = [UInt8](message.signature)
            request.verificationKey = [UInt8](message.payload.verificationKey)
            request.fheType = UInt32(clamping: message.payload.fheType.rawValue)
            request.ciphertext = [UInt8](message.payload.ciphertext)
            request.randomness = [UInt8](message.payload.randomness)
            request.height = message.payload.proof.height
            request.proof = [UInt8](message.payload.proof.merklePatriciaProof)
            return .legacy(request, authorization: [], list: [])
        }
        let message = try GAReencryptionRequest(serializedBytes: bytes)
        request.signature = [UInt8](message.signature)
        request.verificationKey = [UInt8](message.payload.verificationKey)
        request.encryptionKey = [UInt8](message.payload.encKey)
        request.fheType = UInt32(clamping: message.payload.fheType.rawValue)
        request.ciphertext = [UInt8](message.payload.ciphertext)
        request.randomness = [UInt8](message.payload.randomness)
        request.height = message.payload.proof.height
        request.proof = [UInt8](message.payload.proof.merklePatriciaProof)
        return .legacy(request, authorization: [UInt8](message.userAuth), list: [UInt8](message.acl))
    }

    private static func late(_ bytes: [UInt8], _ purpose: LegacyRequest.Purpose) throws -> ServiceQuestion {
        var request = LegacyRequest(.gb, purpose)
        if purpose == .decrypt {
            let message = try GBDecryptionRequest(serializedBytes: bytes)
            request.version = message.version
            request.serversNeeded = message.serversNeeded
            request.randomness = [UInt8](message.randomness)
            request.fheType = UInt32(clamping: message.fheType.rawValue)
            request.keyHandle = message.keyHandle
            request.ciphertext = [UInt8](message.ciphertext)
            request.height = message.proof.height
            request.proof = [UInt8](message.proof.merklePatriciaProof)
            return .legacy(request, authorization: [], list: [])
        }
        let message = try GBReencryptionRequest(serializedBytes: bytes)
        request.signature = [UInt8](message.signature)
        request.version = message.payload.version
        request.serversNeeded = message.payload.serversNeeded
        request.verificationKey = [UInt8](message.payload.verificationKey)
        request.randomness = [UInt8](message.payload.randomness)
        request.encryptionKey = [UInt8](message.payload.encKey)
        request.fheType = UInt32(clamping: message.payload.fheType.rawValue)
        request.keyHandle = message.payload.keyHandle
        request.ciphertext = [UInt8](message.payload.ciphertext)
        request.height = message.proof.height
        request.proof = [UInt8](message.proof.merklePatriciaProof)
        return .legacy(request, authorization: [UInt8](message.userAuth), list: [UInt8](message.acl))
    }

    private static func node(_ bytes: [UInt8], _ purpose: LegacyRequest.Purpose) throws -> ServiceQuestion {
        var request = LegacyRequest(.gn, purpose)
        // The fields of a decryption are those of a re-encryption, too.
        let message = try GNReencryptionRequest(serializedBytes: bytes)
        request.fheType = UInt32(clamping: message.fheType.rawValue)
        request.ciphertext = [UInt8](message.ciphertext)
        request.content = [UInt8](message.request)
        // What the response signs without showing it.
        (request.version, request.serversNeeded) = (1, 1)
        request.height = message.proof.height
        request.proof = [UInt8](message.proof.merklePatriciaProof)
        return .legacy(request, authorization: [UInt8](message.userAuth), list: [UInt8](message.acl))
    }

    private static func own(_ bytes: [UInt8], isPublic: Bool) throws -> OwnRequest {
        if isPublic {
            let message = try OwnPublicDecryptRequest(serializedBytes: bytes)
            return OwnRequest(
                requestID: [UInt8](message.requestID), keyID: message.keyID, ciphertext: [UInt8](message.ciphertext),
                format: try OwnService.format(message.format), fheType: UInt32(clamping: message.fheType.rawValue),
                arrayLength: message.arrayLength, height: message.proof.height, proof: [UInt8](message.proof.proofOps))
        }
        let message = try OwnUserDecryptRequest(serializedBytes: bytes)
        var receiver = OwnRequest.Receiver(
            encryptionKey: [UInt8](message.encKey), authorization: try Authorizations.read(message.userAuth),
            encodedAuthorization: try message.userAuth.serializedBytes())
        if message.hasAcl {
            receiver.list = Authorizations.list(message.acl)
            receiver.encodedList = try message.acl.serializedBytes()
        }
        return OwnRequest(
            requestID: [UInt8](message.requestID), keyID: message.keyID, ciphertext: [UInt8](message.ciphertext),
            format: try OwnService.format(message.format), fheType: UInt32(clamping: message.fheType.rawValue),
            arrayLength: message.arrayLength, height: message.proof.height, proof: [UInt8](message.proof.proofOps),
            receiver: receiver)
    }
}

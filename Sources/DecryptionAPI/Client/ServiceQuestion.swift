public import Decryption
import Foundation
import SwiftProtobuf
import TFHE

/// A question as a client has it, with its message.
public enum ServiceQuestion: Sendable {
    /// Of a generation; the authorisation is a `UserAuth`, the list of permissible decryptors an `Acl`, each or both empty.
    case legacy(LegacyRequest, authorization: [UInt8], list: [UInt8])
    case own(OwnRequest)

    public var service: String {
        if case .own = self { return OwnService.name }
        return EarlyGeneration.name
    }

    public var method: String {
        switch self {
        case .legacy(let request, _, _): request.purpose == .decrypt ? "Decrypt" : "Reencrypt"
        case .own(let request): request.receiver == nil ? "PublicDecrypt" : "UserDecrypt"
        }
    }

    /// The protobuf message.
    public func encoded() throws -> [UInt8] {
        switch self {
        case .legacy(let request, let authorization, let list):
            switch request.generation {
            case .ga: return try Self.early(request, authorization, list)
            case .gb: return try Self.late(request, authorization, list)
            case .gn: return try Self.node(request, authorization, list)
            }
        case .own(let request): return try Self.own(request)
        }
    }

    private static func early(
        _ request: LegacyRequest, _ authorization: [UInt8], _ list: [UInt8]
    ) throws -> [UInt8] {
        let type = GAFheType(rawValue: Int(request.fheType)) ?? .UNRECOGNIZED(Int(request.fheType))
        let proof = GAProof.with {
            $0.height = request.height
            $0.merklePatriciaProof = Data(request.proof)
        }
        if request.purpose == .decrypt {
            return try GADecryptionRequest.with {
                $0.signature = Data(request.signature)
                $0.payload = .with {
                    $0.verificationKey = Data(request.verificationKey)
                    $0.fheType = type
                    $0.ciphertext = Data(request.ciphertext)
                    $0.proof = proof
                    $0.randomness = Data(request.randomness)
                }
            }.serializedBytes()
        }
        return try GAReencryptionRequest.with {
            $0.signature = Data(request.signature)
            $0.payload = .with {
                $0.verificationKey = Data(request.verificationKey)
                $0.encKey = Data(request.encryptionKey)
                $0.fheType = type
                $0.ciphertext = Data(request.ciphertext)
                $0.proof = proof
                $0.randomness = Data(request.randomness)
            }
            $0.userAuth = Data(authorization)
            $0.acl = Data(list)
        }.serializedBytes()
    }

    private static func late(
        _ request: LegacyRequest, _ authorization: [UInt8], _ list: [UInt8]
    ) throws -> [UInt8] {
        let type = GBFheType(rawValue: Int(request.fheType)) ?? .UNRECOGNIZED(Int(request.fheType))
        let proof = GBProof.with {
            $0.height = request.height
            $0.merklePatriciaProof = Data(request.proof)
        }
        if request.purpose == .decrypt {
            return try GBDecryptionRequest.with {
                $0.version = request.version
                $0.serversNeeded = request.serversNeeded
                $0.randomness = Data(request.randomness)
                $0.fheType = type
                $0.keyHandle = request.keyHandle
                $0.ciphertext = Data(request.ciphertext)
                $0.proof = proof
            }.serializedBytes()
        }
        return try GBReencryptionRequest.with {
            $0.signature = Data(request.signature)
            $0.payload = .with {
                $0.version = request.version
                $0.serversNeeded = request.serversNeeded
                $0.verificationKey = Data(request.verificationKey)
                $0.randomness = Data(request.randomness)
                $0.encKey = Data(request.encryptionKey)
                $0.fheType = type
                $0.keyHandle = request.keyHandle
                $0.ciphertext = Data(request.ciphertext)
            }
            $0.userAuth = Data(authorization)
            $0.acl = Data(list)
            $0.proof = proof
        }.serializedBytes()
    }

    private static func node(
        _ request: LegacyRequest, _ authorization: [UInt8], _ list: [UInt8]
    ) throws -> [UInt8] {
        try GNReencryptionRequest.with {
            $0.fheType = GNFheType(rawValue: Int(request.fheType)) ?? .UNRECOGNIZED(Int(request.fheType))
            $0.ciphertext = Data(request.ciphertext)
            $0.request = Data(request.content)
            $0.proof = .with {
                $0.height = request.height
                $0.merklePatriciaProof = Data(request.proof)
            }
            $0.userAuth = Data(authorization)
            $0.acl = Data(list)
        }.serializedBytes()
    }

    private static func own(_ request: OwnRequest) throws -> [UInt8] {
        let proof = OwnProof.with {
            $0.height = request.height
            $0.proofOps = Data(request.proof)
        }
        let type = OwnFheType(rawValue: Int(request.fheType)) ?? .UNRECOGNIZED(Int(request.fheType))
        guard let receiver = request.receiver else {
            return try OwnPublicDecryptRequest.with {
                $0.requestID = Data(request.requestID)
                $0.keyID = request.keyID
                $0.ciphertext = Data(request.ciphertext)
                $0.format = format(request.format)
                $0.fheType = type
                $0.proof = proof
                $0.arrayLength = request.arrayLength
            }.serializedBytes()
        }
        let authorization = try OwnUserAuth(serializedBytes: receiver.encodedAuthorization)
        let list = receiver.list == nil ? nil : try OwnAcl(serializedBytes: receiver.encodedList)
        return try OwnUserDecryptRequest.with {
            $0.requestID = Data(request.requestID)
            $0.keyID = request.keyID
            $0.ciphertext = Data(request.ciphertext)
            $0.format = format(request.format)
            $0.fheType = type
            $0.proof = proof
            $0.arrayLength = request.arrayLength
            $0.encKey = Data(receiver.encryptionKey)
            $0.userAuth = authorization
            if let list { $0.acl = list }
        }.serializedBytes()
    }

    private static func format(_ format: CiphertextFormat) -> OwnCiphertextFormat {
        switch format {
        case .raw04: .raw04
        case .raw06: .raw0506
        case .safe03: .safe03
        case .safe05: .safe05
        case .raw1: .raw1
        case .concreteArray: .concreteArray
        }
    }
}

extension PermissibleDecryptors {
    /// Its message, as requests carry it.
    public func encoded() throws -> [UInt8] {
        try OwnAcl.with {
            $0.contract = Data(contract)
            $0.handle = Data(handle)
            $0.accounts = accounts.map { Data($0) }
            $0.proofs = proofs.map { entry in
                OwnAclProof.with {
                    $0.account = Data(entry.account)
                    $0.proofOps = Data(entry.proof)
                }
            }
        }.serializedBytes()
    }
}

extension UserAuthorization {
    /// Its message, as requests carry it.
    public func encoded() throws -> [UInt8] {
        try OwnUserAuth.with {
            $0.scheme = scheme == .legacyReencrypt ? .legacyReencrypt : .userDecryptRequest
            $0.chainID = chainID
            $0.verifyingContract = Data(verifyingContract)
            $0.contractAddresses = contractAddresses.map { Data($0) }
            $0.start = start
            $0.durationDays = durationDays
            $0.signature = Data(signature)
            $0.extraData = Data(extraData)
        }.serializedBytes()
    }
}

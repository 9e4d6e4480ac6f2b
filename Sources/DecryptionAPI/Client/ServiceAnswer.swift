import Decryption
import Foundation
import SwiftProtobuf

/// An answer as its message has it; nothing in it is believed here.
public struct ServiceAnswer: Sendable, Hashable {
    /// What the own service says of the header that the proof was checked against.
    public struct Header: Sendable, Hashable {
        public var chainID = ""
        public var height: UInt64 = 0
        public var hash: [UInt8] = []
        public var appHash: [UInt8] = []
    }

    /// The server's key in DER; none from the own service.
    public var verificationKey: [UInt8] = []
    public var digest: [UInt8] = []
    public var fheType: UInt32 = 0
    /// The value: in DER, or from the own service little-endian.
    public var plaintext: [UInt8] = []
    public var signcrypted: [UInt8] = []
    /// r ‖ s; none with a re-encryption of GA or GB, whose signature is inside.
    public var signature: [UInt8] = []
    /// GA only.
    public var randomness: [UInt8] = []
    /// shares_needed or servers_needed.
    public var servers: UInt32 = 0
    /// GB only.
    public var version: UInt32 = 0
    /// The value of a decryption of GN, which shows neither digest nor key.
    public var number: UInt64 = 0

    // The own service only.
    public var header = Header()
    public var algorithm = ""
    /// The result key's fingerprint.
    public var signer = ""
    public var account: [UInt8] = []

    public init() {}

    /// - Throws: What protobuf throws.
    public init(_ bytes: [UInt8], to question: ServiceQuestion) throws {
        switch question {
        case .legacy(let request, _, _):
            switch request.generation {
            case .ga: try early(bytes, request.purpose)
            case .gb: try late(bytes, request.purpose)
            case .gn: try node(bytes, request.purpose)
            }
        case .own(let request): try own(bytes, isPublic: request.receiver == nil)
        }
    }

    private mutating func early(_ bytes: [UInt8], _ purpose: LegacyRequest.Purpose) throws {
        if purpose == .decrypt {
            let message = try GADecryptionResponse(serializedBytes: bytes)
            signature = [UInt8](message.signature)
            servers = message.payload.sharesNeeded
            verificationKey = [UInt8](message.payload.verificationKey)
            plaintext = [UInt8](message.payload.plaintext)
            digest = [UInt8](message.payload.digest)
            randomness = [UInt8](message.payload.randomness)
        } else {
            let message = try GAReencryptionResponse(serializedBytes: bytes)
            servers = message.sharesNeeded
            verificationKey = [UInt8](message.verificationKey)
            fheType = UInt32(clamping: message.fheType.rawValue)
            signcrypted = [UInt8](message.signcryptedCiphertext)
            digest = [UInt8](message.digest)
        }
    }

    private mutating func late(_ bytes: [UInt8], _ purpose: LegacyRequest.Purpose) throws {
        if purpose == .decrypt {
            let message = try GBDecryptionResponse(serializedBytes: bytes)
            signature = [UInt8](message.signature)
            version = message.payload.version
            servers = message.payload.serversNeeded
            verificationKey = [UInt8](message.payload.verificationKey)
            digest = [UInt8](message.payload.digest)
            plaintext = [UInt8](message.payload.plaintext)
        } else {
            let message = try GBReencryptionResponse(serializedBytes: bytes)
            version = message.version
            servers = message.serversNeeded
            verificationKey = [UInt8](message.verificationKey)
            digest = [UInt8](message.digest)
            fheType = UInt32(clamping: message.fheType.rawValue)
            signcrypted = [UInt8](message.signcryptedCiphertext)
        }
    }

    private mutating func node(_ bytes: [UInt8], _ purpose: LegacyRequest.Purpose) throws {
        if purpose == .decrypt {
            let message = try GNDecryptionResponse(serializedBytes: bytes)
            signature = [UInt8](message.signature)
            fheType = UInt32(clamping: message.fheType.rawValue)
            number = message.plaintext
        } else {
            let message = try GNReencryptionResponse(serializedBytes: bytes)
            fheType = UInt32(clamping: message.fheType.rawValue)
            signcrypted = [UInt8](message.reencryptedCiphertext)
        }
    }

    private mutating func own(_ bytes: [UInt8], isPublic: Bool) throws {
        let header: OwnVerifiedHeader
        let signatures: [OwnSignature]
        if isPublic {
            let message = try OwnPublicDecryptResponse(serializedBytes: bytes)
            (header, signatures) = (message.verified, message.signatures)
            digest = [UInt8](message.requestDigest)
            fheType = UInt32(clamping: message.fheType.rawValue)
            plaintext = [UInt8](message.plaintext)
        } else {
            let message = try OwnUserDecryptResponse(serializedBytes: bytes)
            (header, signatures) = (message.verified, message.signatures)
            digest = [UInt8](message.requestDigest)
            fheType = UInt32(clamping: message.fheType.rawValue)
            signcrypted = [UInt8](message.signcryptedCiphertext)
            account = [UInt8](message.account)
        }
        self.header = Header(
            chainID: header.chainID, height: header.height, hash: [UInt8](header.headerHash),
            appHash: [UInt8](header.appHash))
        if let first = signatures.first {
            (algorithm, signer, signature) = (first.algorithm, first.keyID, [UInt8](first.signature))
        }
    }
}

/// What `GetStatus` says, as far as a person needs it.
public struct ServiceStatus: Sendable, Hashable {
    public var chainID: String
    public var height: UInt64
    public var headAge: UInt64
    public var problem: String
    /// SEC 1, compressed.
    public var resultKey: [UInt8]
    /// `ES256K` or `ES256`.
    public var algorithm: String
    /// Names of the enabled keys.
    public var keys: [String]

    /// Asks for it.
    public init(of channel: DecryptionChannel) async throws(DecryptionCallError) {
        let bytes = try await channel.call(OwnService.name, "GetStatus", [])
        let message: OwnGetStatusResponse
        do { message = try OwnGetStatusResponse(serializedBytes: bytes) } catch {
            throw DecryptionCallError(status: "UNKNOWN", message: "the answer to GetStatus cannot be read")
        }
        chainID = message.chainID
        height = message.verifiedHeight
        headAge = message.headAgeSeconds
        problem = message.lightClientProblem
        resultKey = [UInt8](message.resultKey)
        algorithm = message.resultAlgorithm
        keys = message.keys.filter { $0.state == "enabled" }.map(\.keyID)  // exact: the server writes it in ASCII.
    }
}

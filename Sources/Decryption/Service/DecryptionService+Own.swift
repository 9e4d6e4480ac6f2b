import Audit
import EnclaveLock
import Encodings
import InclusionProofs
import LibCrypto
import LightClient
import SecretMemory
public import TFHE
import Token

/// A question of the own service.
public struct OwnRequest: Sendable {
    /// What the user's question has besides.
    public struct Receiver: Sendable {
        /// X25519, 32 bytes.
        public var encryptionKey: [UInt8]
        public var authorization: UserAuthorization?
        /// The authorisation as it came, for the digest.
        public var encodedAuthorization: [UInt8]
        public var list: PermissibleDecryptors?
        /// The list as it came, for the digest.
        public var encodedList: [UInt8]

        public init(
            encryptionKey: [UInt8], authorization: UserAuthorization?, encodedAuthorization: [UInt8],
            list: PermissibleDecryptors? = nil, encodedList: [UInt8] = []
        ) {
            self.encryptionKey = encryptionKey
            self.authorization = authorization
            self.encodedAuthorization = encodedAuthorization
            self.list = list
            self.encodedList = encodedList
        }
    }

    public var requestID: [UInt8]
    /// Empty for the one that the policy names.
    public var keyID: String
    public let ciphertext: [UInt8]
    /// What the chain calls the ciphertext; hashed once, because it takes longer than to decrypt.
    public let handle: [UInt8]
    public var format: CiphertextFormat
    public var fheType: UInt32
    /// Numbers of an array; 0 for what is none.
    public var arrayLength: UInt32
    public var height: UInt64
    public var proof: [UInt8]
    /// Nil for a public decryption.
    public var receiver: Receiver?

    public init(
        requestID: [UInt8], keyID: String, ciphertext: [UInt8], format: CiphertextFormat, fheType: UInt32,
        arrayLength: UInt32 = 0, height: UInt64, proof: [UInt8], receiver: Receiver? = nil
    ) {
        self.requestID = requestID
        self.keyID = keyID
        self.ciphertext = ciphertext
        handle = Handles.handle(of: ciphertext)
        self.format = format
        self.fheType = fheType
        self.arrayLength = arrayLength
        self.height = height
        self.proof = proof
        self.receiver = receiver
    }

    /// `public-decrypt` or `user-decrypt`.
    public var method: String { receiver == nil ? "public-decrypt" : "user-decrypt" }

    /// SHA3-256 over every part, each behind its length.
    public func digest() throws(DecryptionError) -> [UInt8] {
        var fields = RecordFields(.decryptionRequest)
        fields.append(method)
        fields.append(requestID)
        fields.append(keyID)
        fields.append(format.rawValue)
        fields.append(UInt64(fheType))
        fields.append(handle)
        fields.append(height)
        fields.append(proof)
        fields.append(receiver?.encryptionKey ?? [])
        fields.append(receiver?.encodedAuthorization ?? [])
        if format == .concreteArray { fields.append(UInt64(arrayLength)) }
        // A request without one has the digest that it had before there were any.
        if let receiver, receiver.list != nil { fields.append(receiver.encodedList) }
        do { return try Digest.sha3of256(fields.bytes) } catch { throw .failed("SHA3-256 failed") }
    }
}

extension DecryptionService {
    /// Answers a question of the own service, the same way each time it is asked under one id.
    public func answer(
        _ request: OwnRequest, caller: Caller
    ) async throws(DecryptionError) -> (kept: KeptAnswer, grounds: AnswerGrounds) {
        try await audited(request.method, caller, key: request.keyID) { () async throws(DecryptionError) in
            guard request.requestID.count == 32 else {
                throw .invalid("malformed-request-id", "request_id has 32 bytes")
            }
            let digest = try request.digest()
            var kept = try await answers.answer(request.requestID)
            if let kept, kept.digest == digest {
                try await stillHolds(request, kept)
            } else if kept == nil {
                kept = try await answers.keep(try await fresh(request, digest, caller), for: request.requestID)
            }
            guard let kept, kept.digest == digest else {
                throw DecryptionError(
                    .alreadyExists, "request-id-used", "another question was asked under this request_id")
            }
            let position = try await allow(request, kept, caller)
            let key = try await keys.store.key(kept.keyID)
            return (
                kept,
                grounds(
                    key: kept.keyID, fingerprint: key?.fingerprint ?? [], height: kept.height,
                    kept.account.isEmpty ? .decrypt : .reencrypt(account: kept.account),
                    messageHash: try Self.hash(ResultMessage(kept.signed(method: request.method)).encoded), position)
            )
        }
    }

    private func fresh(
        _ request: OwnRequest, _ digest: [UInt8], _ caller: Caller
    ) async throws(DecryptionError) -> KeptAnswer {
        let signingKey = try await signer.key()
        let type = try TypeNumbers.type(Int(request.fheType))
        guard (request.format == .concreteArray) == (request.arrayLength != 0), request.arrayLength <= 256 else {
            throw .invalid(
                "array-length", "array_length is 2 to 256 with the format CONCRETE_ARRAY, and absent with the others")
        }
        var account: [UInt8] = []
        var permission = AccessList.Permission.decrypt
        if let receiver = request.receiver {
            guard receiver.encryptionKey.count == 32 else {
                throw .invalid("malformed-enc_key", "enc_key has 32 bytes")
            }
            // Here nobody else signs: without an authorisation there is no account.
            account = try self.account(
                receiver.authorization, requester: nil, encryptionKey: receiver.encryptionKey)
            permission = .reencrypt(account: account)
        }
        let opened: Opened
        do throws(DecryptionError) {
            opened = try await open(
                Question(
                    keyID: request.keyID, ciphertext: request.ciphertext, format: request.format, type: type,
                    arrayLength: Int(request.arrayLength), height: request.height, proof: request.proof,
                    permission: permission, list: request.receiver?.list,
                    handle: request.handle),
                caller)
        } catch {
            guard let receiver = request.receiver else { throw error }
            throw Self.explained(error, receiver.authorization, receiver.encryptionKey, account)
        }
        var result: [UInt8] = []
        if let receiver = request.receiver {
            let message: SharedSecret
            do throws(SecretMemoryError) {
                message = SharedSecret(
                    try LegacyResponses.signcrypted(opened.value, request.fheType, digest: digest, nil))
            } catch { throw DecryptionKeyVault.translate(error) }
            result = try await seal(
                message,
                Signcryption(
                    receiver: account, encryptionKey: receiver.encryptionKey, verificationKey: signingKey.compressed))
        }
        let header = opened.evidence.header
        var answer = KeptAnswer(
            digest: digest, result: result, signature: [], algorithm: signingKey.algorithm,
            signer: signingKey.fingerprint, account: account, keyID: opened.evidence.key.id,
            handle: opened.evidence.handle, fheType: request.fheType, chainID: headers.chainID, height: header.height,
            headerHash: header.hash, appHash: header.appHash, noiseMargin: opened.evidence.noiseMargin,
            policy: try currentPolicy())
        if request.receiver != nil {
            answer.signature = try await signer.sign(ResultMessage(answer.signed(method: request.method)))
        } else {
            let signed: SecretResult
            do throws(SecretMemoryError) {
                signed = try answer.signed(method: request.method, around: opened.value)
            } catch { throw DecryptionKeyVault.translate(error) }
            answer.signature = try await signer.sign(signed)
            // Signed, and of a ciphertext that the chain has opened to everybody: public, and kept as such.
            answer.result = opened.value.withUnsafeBytes { Array($0) }
        }
        return answer
    }

    private func allow(
        _ request: OwnRequest, _ answer: KeptAnswer, _ caller: Caller
    ) async throws(DecryptionError) -> AuditPosition {
        try await allow(
            request.method, caller, key: answer.keyID,
            details: [
                "handle": Hexadecimal.encode(answer.handle), "height": "\(answer.height)",
                "header-hash": Hexadecimal.encode(answer.headerHash), "noise-margin": "\(answer.noiseMargin)",
                "request-id": Hexadecimal.encode(request.requestID),
            ], digest: answer.digest, account: answer.account.isEmpty ? nil : answer.account,
            signature: answer.signature)
    }
}

extension KeptAnswer {
    /// The body of the result that the token signs.
    ///
    /// - Parameter method: `public-decrypt` or `user-decrypt`.
    public func signed(method: String) -> [UInt8] {
        var fields = head(method)
        fields.append(result)
        fields.append(tail)
        return fields.bytes
    }

    /// The result that the token signs, with a value in it that is secret so far.
    func signed(method: String, around value: SharedSecret) throws(SecretMemoryError) -> SecretResult {
        let length = withUnsafeBytes(of: UInt32(value.count).bigEndian) { Array($0) }
        let (before, after) = (head(method).bytes + length, tail.bytes)
        return try SecretResult(
            body: try value.withSecret { value throws(SecretMemoryError) in
                try SecretBytes.joining(before, value, after)
            })
    }

    private func head(_ method: String) -> RecordFields {
        var fields = RecordFields(.decryptionAnswer)
        fields.append(method)
        fields.append(digest)
        fields.append(keyID)
        fields.append(handle)
        fields.append(UInt64(fheType))
        return fields
    }

    /// What follows the result.
    private var tail: RecordFields {
        var fields = RecordFields(capacity: 256)
        fields.append(account)
        fields.append(chainID)
        fields.append(UInt64(height))
        fields.append(headerHash)
        fields.append(appHash)
        return fields
    }
}

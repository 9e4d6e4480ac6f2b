import Decryption
public import DecryptionAPI
import Encodings
public import InclusionProofs
import LibCrypto
public import LightClient
import SecretMemory
import TFHE

/// A question with the answer to it, both as they were on the wire, and the checks of a careful client.
public struct AnswerCheck: Sendable {
    public let question: ServiceQuestion
    public let answer: ServiceAnswer
    public let key: ResultKey

    public init(question: ServiceQuestion, answer: ServiceAnswer, key: ResultKey) {
        self.question = question
        self.answer = answer
        self.key = key
    }

    /// The ciphertext's name on the chain.
    public var handle: [UInt8] {
        switch question {
        case .legacy(let request, _, _): Handles.handle(of: request.ciphertext)
        case .own(let request): Handles.handle(of: request.ciphertext)
        }
    }

    public var height: UInt64 {
        switch question {
        case .legacy(let request, _, _): UInt64(request.height)
        case .own(let request): request.height
        }
    }

    public func digest() throws(ClientError) -> [UInt8] {
        do throws(DecryptionError) {
            switch question {
            case .legacy(let request, _, _): return try LegacyRequest.digest(ofEncoded: request.encoded)
            case .own(let request): return try request.digest()
            }
        } catch { throw ClientError("failed", error.message) }
    }

    /// Checks what is outside a box: that the answer is to this very question, and the signature, if there is one outside.
    ///
    /// - Returns: The value of a decryption for everybody; nil for a box, and then what is in it is not checked.
    public func check() throws(ClientError) -> OpenValue? {
        if case .legacy(let request, _, _) = question, request.generation == .gn { return try checkUnnamed(request) }
        guard answer.digest == (try digest()) else {
            throw ClientError("digest", "the answer is to another question: its digest is not that of this one")
        }
        switch question {
        case .legacy(let request, _, _): return try check(request)
        case .own(let request): return try check(request)
        }
    }

    private func check(_ request: LegacyRequest) throws(ClientError) -> OpenValue? {
        guard answer.verificationKey == WireDER.octets(key.compressed).encoded else {
            throw ClientError("result-key", "the answer names another result key than the one given")
        }
        guard request.generation == .ga ? answer.servers == 1 : answer.servers == request.serversNeeded else {
            throw ClientError("servers", "the answer names another number of servers than was asked for")
        }
        guard request.purpose == .decrypt else {
            guard answer.fheType == request.fheType else { throw Self.anotherType }
            return nil
        }
        guard request.generation != .ga || answer.randomness == request.randomness else {
            throw ClientError("randomness", "the answer repeats another randomness than the question's")
        }
        try key.check(
            answer.signature,
            LegacyResponses.decryption(
                to: request, verificationKey: key.compressed, plaintext: answer.plaintext, digest: answer.digest))
        var outer = DERReader(answer.plaintext[...])
        var content = try outer.sequence()
        try outer.end()
        let value = request.generation == .ga ? try content.vector() : try content.number().reversed()
        guard try content.type() == request.fheType else { throw Self.anotherType }
        try content.end()
        return try Self.open(value, Self.type(request), isEarly: request.generation == .ga)
    }

    /// Generation GN shows neither digest nor key: both come from here, and the signature is over them.
    private func checkUnnamed(_ request: LegacyRequest) throws(ClientError) -> OpenValue? {
        guard answer.fheType == request.fheType else { throw Self.anotherType }
        guard request.purpose == .decrypt else { return nil }
        let value = withUnsafeBytes(of: answer.number.littleEndian) { Array($0) }
        let type = withUnsafeBytes(of: request.fheType.littleEndian) { Array($0) }
        let plaintext = WireDER.sequence([.number(answer.number), .octets(type)]).encoded
        try key.check(
            answer.signature,
            LegacyResponses.decryption(
                to: request, verificationKey: key.compressed, plaintext: plaintext, digest: try digest()))
        return try Self.open(value, Self.type(request))
    }

    private func check(_ request: OwnRequest) throws(ClientError) -> OpenValue? {
        guard !request.keyID.isEmpty else {
            throw ClientError(
                "key-id", "the question names no key, and the answer's signature does: ask again with the key's name")
        }
        guard answer.algorithm.isExactly(key.algorithm), answer.signer.isExactly(key.fingerprint) else {
            throw ClientError("result-key", "the answer names another result key than the one given")
        }
        guard answer.header.height == request.height else {
            throw ClientError("height", "the answer is about another height than the question's")
        }
        guard answer.fheType == request.fheType else { throw Self.anotherType }
        let isPublic = request.receiver == nil
        var body = RecordFields(.decryptionAnswer)
        body.append(request.method)
        body.append(answer.digest)
        body.append(request.keyID)
        body.append(handle)
        body.append(UInt64(request.fheType))
        body.append(isPublic ? answer.plaintext : answer.signcrypted)
        body.append(answer.account)
        body.append(answer.header.chainID)
        body.append(answer.header.height)
        body.append(answer.header.hash)
        body.append(answer.header.appHash)
        var signed = RecordFields(.result)
        signed.append(body.bytes)
        try key.check(answer.signature, signed.bytes)
        guard isPublic else { return nil }
        return try Self.open(answer.plaintext, Self.type(request), arrayLength: Int(request.arrayLength))
    }

    /// Opens a box, after ``check()``.
    public func open(with wallet: WalletKeys) throws(ClientError) -> OpenValue {
        _ = try check()
        let opened: OpenedBox
        let type: ValueType
        var (isEarly, arrayLength) = (false, 0)
        switch question {
        case .legacy(let request, _, _):
            guard request.purpose == .reencrypt else { throw Self.noBox }
            let isUnsigned = request.generation == .gn
            let sent = isUnsigned ? WireDER.octets(request.content).encoded : request.encryptionKey
            guard sent == WireDER.octets(wallet.encryption.publicKey).encoded else { throw Self.anotherWallet }
            var reader = DERReader(request.verificationKey[...])
            opened = try wallet.open(
                answer.signcrypted, from: key, receiver: isUnsigned ? wallet.address : try reader.octets(33))
            guard opened.type == request.fheType else { throw Self.anotherType }
            isEarly = request.generation == .ga
            type = try Self.type(request)
        case .own(let request):
            guard let receiver = request.receiver else { throw Self.noBox }
            guard receiver.encryptionKey == wallet.encryption.publicKey else { throw Self.anotherWallet }
            guard answer.account == wallet.address else {
                throw ClientError("account", "the value was re-encrypted for another account than this wallet's")
            }
            opened = try wallet.open(answer.signcrypted, from: key, receiver: wallet.address)
            guard opened.type == request.fheType else { throw Self.anotherType }
            type = try Self.type(request)
            arrayLength = Int(request.arrayLength)
        }
        guard opened.digest == (try digest()) else {
            throw ClientError("digest", "what is in the box answers another question")
        }
        return try OpenValue(opened.value, type, isEarly: isEarly, arrayLength: arrayLength)
    }

    /// A value that everybody may see.
    private static func open(
        _ bytes: [UInt8], _ type: ValueType, isEarly: Bool = false, arrayLength: Int = 0
    ) throws(ClientError) -> OpenValue {
        let value: SharedSecret
        do {
            value = try bytes.withUnsafeBytes { SharedSecret(try SecretBytes(copying: $0)) }
        } catch { throw .noMemory }
        return try OpenValue(value, type, isEarly: isEarly, arrayLength: arrayLength)
    }

    /// Compares with a header that the caller trusts, and with a contract if one is given.
    ///
    /// - Parameter account: Whose permission a box needs.
    public func check(
        header: SignedHeader, accessList: AccessList?, account: [UInt8]?
    ) throws(ClientError) {
        let hash: [UInt8]
        do { hash = try header.header.hash() } catch { throw ClientError("header", error.message) }
        guard hash == header.commit.blockID.hash else {
            throw ClientError("header", "the header is not the one that its commit is for")
        }
        guard UInt64(header.header.height) == height else {
            throw ClientError("header", "the header is of height \(header.header.height), the proof of \(height)")
        }
        var proof: [UInt8] = []
        var isPublic = true
        switch question {
        case .own(let request):
            guard answer.header.hash == hash, answer.header.appHash == header.header.appHash,
                answer.header.chainID.isExactly(header.header.chainID)
            else { throw ClientError("header", "the daemon decided on another header than the one given") }
            (proof, isPublic) = (request.proof, request.receiver == nil)
        case .legacy(let request, _, _): (proof, isPublic) = (request.proof, request.purpose == .decrypt)
        }
        guard let accessList else { return }
        guard isPublic || account != nil else {
            throw ClientError("account", "whose permission is it? name the account")
        }
        if proof.isEmpty, let account { proof = question.list?.proofs.first { $0.account == account }?.proof ?? [] }
        do {
            try accessList.verify(
                StoreProof(proof), account.map { .reencrypt(account: $0) } ?? .decrypt, handle: handle,
                appHash: header.header.appHash)
        } catch { throw ClientError("proof", "the question's proof does not lead to this header: \(error.message)") }
    }

    private static func type(_ request: LegacyRequest) throws(ClientError) -> ValueType {
        do throws(DecryptionError) { return try request.generation.type(Int(request.fheType)) } catch {
            throw ClientError("type", error.message)
        }
    }

    private static func type(_ request: OwnRequest) throws(ClientError) -> ValueType {
        do throws(DecryptionError) { return try TypeNumbers.type(Int(request.fheType)) } catch {
            throw ClientError("type", error.message)
        }
    }

    private static let anotherType = ClientError("type", "the answer is of another type than the question")
    private static let noBox = ClientError(
        "no-box", "this is a decryption for everybody; kmsd decryption verify shows it")
    private static let anotherWallet = ClientError(
        "wallet", "the question was asked for another wallet's encryption key than this one's")
}

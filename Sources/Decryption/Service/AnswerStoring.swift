/// Answers by the id that the requester gave his question, so that asking again gives the same answer: also after a crash
/// between decryption and answer.
public protocol AnswerStoring: Sendable {
    /// - Parameter requestID: 32 bytes.
    func answer(_ requestID: [UInt8]) async throws(DecryptionError) -> KeptAnswer?
    /// Keeps an answer, durable when this returns, unless there is one for the id.
    ///
    /// - Returns: What is kept now: this one, or one that was first.
    func keep(_ answer: KeptAnswer, for requestID: [UInt8]) async throws(DecryptionError) -> KeptAnswer
}

/// An answer of the own service. A public value is what the chain let everybody know; a user's is encrypted to him.
public struct KeptAnswer: Sendable, Hashable {
    /// Of the question, all of it.
    public var digest: [UInt8]
    /// Little-endian plaintext, or the signcryption.
    public var result: [UInt8]
    public var signature: [UInt8]
    /// `ES256K` or `ES256`.
    public var algorithm: String
    /// Of the key that signed.
    public var signer: String
    /// 20 bytes, or none.
    public var account: [UInt8]
    public var keyID: String
    public var handle: [UInt8]
    public var fheType: UInt32
    public var chainID: String
    public var height: Int64
    public var headerHash: [UInt8]
    public var appHash: [UInt8]
    public var noiseMargin: Int
    /// What the operator had decided then: SHA-256 as receipts have it.
    public var policy: [UInt8]

    public init(
        digest: [UInt8], result: [UInt8], signature: [UInt8], algorithm: String, signer: String, account: [UInt8],
        keyID: String, handle: [UInt8], fheType: UInt32, chainID: String, height: Int64, headerHash: [UInt8],
        appHash: [UInt8], noiseMargin: Int, policy: [UInt8]
    ) {
        self.digest = digest
        self.result = result
        self.signature = signature
        self.algorithm = algorithm
        self.signer = signer
        self.account = account
        self.keyID = keyID
        self.handle = handle
        self.fheType = fheType
        self.chainID = chainID
        self.height = height
        self.headerHash = headerHash
        self.appHash = appHash
        self.noiseMargin = noiseMargin
        self.policy = policy
    }
}

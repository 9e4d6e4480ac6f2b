/// What a BBS+ proof is to be derived from.
public struct ProofRequest: Sendable, Equatable {
    /// 112 bytes.
    public let signature: [UInt8]
    /// All messages, in the order they were signed in.
    public let messages: [[UInt8]]
    /// Indexes from 0 of the messages to be shown; at least one, none twice.
    public let revealed: [Int]
    /// The verifier's, of any length.
    public let nonce: [UInt8]

    public init(signature: [UInt8], messages: [[UInt8]], revealed: [Int], nonce: [UInt8]) {
        self.signature = signature
        self.messages = messages
        self.revealed = revealed
        self.nonce = nonce
    }
}

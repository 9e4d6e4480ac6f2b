import Encodings
import LibCrypto

/// The part of a transaction that is hashed, and the function its data names.
public struct SplitTransaction: Sendable {
    public var hash: [UInt8]
    public var clientID: String
    /// The wallet's public key as the transaction gives it; empty if absent.
    public var publicKey: String
    public var receiver: String
    public var value: UInt64
    public var nonce: Int64
    public var createdAt: Int64
    /// `transaction_data` as text.
    public var data: String
    /// The `name` in the data; nil if the data is no object with exactly one such member.
    public var function: String?

    public init(
        hash: [UInt8], clientID: String, publicKey: String, receiver: String, value: UInt64, nonce: Int64,
        createdAt: Int64, data: String, function: String?
    ) {
        self.hash = hash
        self.clientID = clientID
        self.publicKey = publicKey
        self.receiver = receiver
        self.value = value
        self.nonce = nonce
        self.createdAt = createdAt
        self.data = data
        self.function = function
    }

    /// The hash the chain computes: SHA3-256 over fields joined by colons, the data as the hex of its own SHA3-256.
    /// Fee, type, chain and version are not covered.
    public func computedHash() throws(SplitKeyError) -> [UInt8] {
        do {
            let data = Hexadecimal.encode(try Digest.sha3of256(Array(data.utf8)))
            let text = "\(createdAt):\(nonce):\(clientID):\(receiver):\(value):\(data)"
            return try Digest.sha3of256(Array(text.utf8))
        } catch {
            throw SplitKeyError(.internalFailure, "internal error", underlying: error)
        }
    }
}

public import Audit
public import Encodings

/// A request for the server's half of a signature.
public struct CosignRequest: Sendable {
    public enum Payload: Sendable {
        /// A bare hash, and the wallet the caller means.
        case message(hash: [UInt8], clientID: String)
        case transaction(SplitTransaction)
    }

    /// The caller's own public key, from the header.
    public var peerKey: [UInt8]
    /// The caller's half.
    public var share: [UInt8]
    public var payload: Payload
    /// The user of a token that came along; signing needs none.
    public var user: ExactText?
    /// Where the request came from, as wrong halves are counted: an IPv4 address or the first half of an IPv6 one.
    public var address: String
    public var requestID: String

    public init(
        peerKey: [UInt8], share: [UInt8], payload: Payload, user: ExactText?, address: String = "-", requestID: String
    ) {
        self.peerKey = peerKey
        self.share = share
        self.payload = payload
        self.user = user
        self.address = address
        self.requestID = requestID
    }

    var clientID: String {
        switch payload {
        case .message(_, let clientID): clientID
        case .transaction(let transaction): transaction.clientID
        }
    }

    var hash: [UInt8] {
        switch payload {
        case .message(let hash, _): hash
        case .transaction(let transaction): transaction.hash
        }
    }

    var operation: String {
        switch payload {
        case .message: "sign/msg"
        case .transaction: "sign/txn"
        }
    }

    /// What separates the purposes in suites that have room for it.
    var purpose: String {
        switch payload {
        case .message: "msg"
        case .transaction: "txn"
        }
    }
}

/// A released signature and what it rests on.
public struct Cosignature: Sendable {
    /// Valid under the wallet's key.
    public var signature: [UInt8]
    public var clientID: String
    /// The key as the audit chain names it.
    public var subject: String
    public var peerKey: [UInt8]
    public var policy: SplitPolicy
    public var hash: [UInt8]
    /// The audit record that allowed it.
    public var position: AuditPosition
}

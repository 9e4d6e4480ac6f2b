/// Why the split-key domain refused or failed; the one error that fronts translate.
///
/// ``message`` is for the caller, ``detail`` and ``underlying`` for the operator's log, ``Code/rawValue`` is the reason
/// code of audit records.
public struct SplitKeyError: Error, Sendable, CustomStringConvertible {
    /// An open set: adding a code breaks no caller.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The request is malformed; the message names the operand.
        public static let invalidArgument = Code(rawValue: "invalid-argument")
        /// No such wallet or split key, or another user's.
        public static let notFound = Code(rawValue: "not-found")
        /// The caller may not act for this user.
        public static let forbidden = Code(rawValue: "forbidden")
        /// The wallet or the key belongs to somebody else already, or was revoked.
        public static let conflict = Code(rawValue: "conflict")
        /// The key's restrictions do not allow this.
        public static let notPermitted = Code(rawValue: "not-permitted")
        public static let revoked = Code(rawValue: "revoked")
        public static let expired = Code(rawValue: "expired")
        /// The caller's half of the signature does not verify under its public key.
        public static let shareInvalid = Code(rawValue: "share-invalid")
        /// The key's allowance of signatures is used up for now.
        public static let rateLimited = Code(rawValue: "rate-limited")
        /// The token is away or failed; nothing was signed.
        public static let tokenUnavailable = Code(rawValue: "token-unavailable")
        /// The token has no means to do this.
        public static let unsupported = Code(rawValue: "unsupported")
        /// The store or the audit chain cannot be written; nothing was allowed.
        public static let storageUnavailable = Code(rawValue: "storage-unavailable")
        /// The other role's server gave no usable answer.
        public static let peerUnavailable = Code(rawValue: "peer-unavailable")
        /// The combined signature does not verify: a stored record or the token's answer is wrong. Nothing was released.
        public static let faulty = Code(rawValue: "faulty")
        /// A defect of ours.
        public static let internalFailure = Code(rawValue: "internal")
    }

    public var code: Code
    /// Safe for the caller.
    public var message: String
    /// For the operator's log; never key bytes.
    public var detail: String?
    public var underlying: (any Error)?

    public init(_ code: Code, _ message: String, detail: String? = nil, underlying: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.detail = detail
        self.underlying = underlying
    }

    /// Operator text.
    public var description: String {
        var text = "\(code.rawValue): \(message)"
        if let detail { text += " (\(detail))" }
        if let underlying { text += " [\(underlying)]" }
        return text
    }

    static func invalid(_ message: String) -> SplitKeyError { SplitKeyError(.invalidArgument, message) }
    static let unknownKey = SplitKeyError(.notFound, "there is no such split key")
    static let lostRace = SplitKeyError(
        .conflict, "another request changed this at the same time; look at it and try again")
    static let lostHalf = SplitKeyError(
        .conflict,
        "the co-signing role has nothing of this wallet that a key could be made with: it is being deleted, or was deleted "
            + "there alone; look whether it is still here, and delete it if it is")
    static let anchorGone = SplitKeyError(
        .conflict,
        "'anchor' names no anchor of this wallet: the wallet was deleted, or it was never handed over with POST /anchor"
    )
    static let unknownWallet = SplitKeyError(.notFound, "there is no such wallet")

    static func damaged(_ what: String, _ underlying: (any Error)? = nil) -> SplitKeyError {
        SplitKeyError(
            .faulty, "the stored record of the \(what) is damaged and was not used",
            detail: "it does not open with what stands beside it; restore it from a backup", underlying: underlying)
    }
}

/// Why the domain refused or failed; the one error that fronts translate.
///
/// Three texts for three readers: ``message`` for the caller, ``detail`` for the operator's log, ``Code/rawValue`` as a
/// bounded metric label.
///
/// - Concurrency: a value.
public struct KMSError: Error, Sendable, CustomStringConvertible {
    /// What kind of failure it is.
    public struct Code: RawRepresentable, Hashable, Sendable, CaseIterable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The request is malformed or asks for something that does not exist, such as an unknown key type.
        public static let invalidArgument = Code(rawValue: "invalidArgument")
        /// A ciphertext does not open; which part was wrong is not told.
        public static let ciphertextInvalid = Code(rawValue: "ciphertextInvalid")
        /// A signature or MAC does not verify.
        public static let signatureInvalid = Code(rawValue: "signatureInvalid")
        /// The caller did not say who it is.
        public static let unauthenticated = Code(rawValue: "unauthenticated")
        /// The caller may not do this.
        public static let permissionDenied = Code(rawValue: "permissionDenied")
        /// No such keystore or key.
        public static let notFound = Code(rawValue: "notFound")
        /// The name is taken, perhaps by a destroyed key.
        public static let alreadyExists = Code(rawValue: "alreadyExists")
        /// Another request changed the same thing first; what is there now decides whether to try again.
        public static let conflict = Code(rawValue: "conflict")
        /// None of the keystore's lock slots can be opened by the configured lock.
        public static let keystoreLocked = Code(rawValue: "keystoreLocked")
        /// The key is disabled, waits for its destruction or is destroyed.
        public static let keyDisabled = Code(rawValue: "keyDisabled")
        /// A configured bound on keys or keystores is reached.
        public static let quotaExceeded = Code(rawValue: "quotaExceeded")
        /// The token cannot do this; the message names the type and what can be done instead.
        public static let mechanismUnsupported = Code(rawValue: "mechanismUnsupported")
        /// The token is absent or not ready.
        public static let tokenUnavailable = Code(rawValue: "tokenUnavailable")
        /// The database cannot be read or written; nothing was half-stored.
        public static let storageUnavailable = Code(rawValue: "storageUnavailable")
        /// A bounded queue is full.
        public static let overloaded = Code(rawValue: "overloaded")
        /// The token did not answer in time.
        public static let deadlineExceeded = Code(rawValue: "deadlineExceeded")
        /// Another server that the request depends on, such as one that takes part in a lock, is away, failed or refused;
        /// nothing was half-stored here.
        public static let upstreamFailed = Code(rawValue: "upstreamFailed")
        /// A stored record is damaged, or a defect of ours.
        public static let `internal` = Code(rawValue: "internal")

        public static let allCases: [Code] = [
            .invalidArgument, .ciphertextInvalid, .signatureInvalid, .unauthenticated, .permissionDenied, .notFound,
            .alreadyExists, .conflict, .keystoreLocked, .keyDisabled, .quotaExceeded, .mechanismUnsupported,
            .tokenUnavailable,
            .storageUnavailable, .overloaded, .deadlineExceeded, .upstreamFailed, .internal,
        ]
    }

    public var code: Code
    /// Safe for the caller: names the operand and the remedy, never material, paths or the token's words.
    public var message: String
    /// For the operator's log: what really happened. Never key bytes or PINs.
    public var detail: String?
    /// The lower layer's error, for logs.
    public var underlying: (any Error)?
    /// Of `.upstreamFailed`: whether the other server's failure is likely to pass, so that the same request may succeed in
    /// a moment.
    public var isPassing: Bool

    public init(
        _ code: Code, _ message: String, detail: String? = nil, underlying: (any Error)? = nil, isPassing: Bool = false
    ) {
        self.code = code
        self.message = message
        self.detail = detail
        self.underlying = underlying
        self.isPassing = isPassing
    }

    /// Operator text.
    public var description: String {
        var text = "\(code.rawValue): \(message)"
        if let detail { text += " (\(detail))" }
        if let underlying { text += " [\(underlying)]" }
        return text
    }
}

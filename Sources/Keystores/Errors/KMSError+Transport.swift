extension KMSError.Code {
    /// The HTTP status of an answer with this code; 500 for a code this table does not know.
    public var httpStatus: Int { Self.httpStatuses[self] ?? 500 }

    /// Whether the same request may succeed later without anybody changing anything.
    public var isRetryable: Bool {
        switch self {
        case .tokenUnavailable, .storageUnavailable, .overloaded, .deadlineExceeded, .upstreamFailed: true
        default: false
        }
    }

    /// One row per code; a test walks ``allCases`` and fails for a code without one.
    static let httpStatuses: [KMSError.Code: Int] = [
        .invalidArgument: 400, .ciphertextInvalid: 400, .signatureInvalid: 400,
        .unauthenticated: 401, .permissionDenied: 403,
        .notFound: 404, .alreadyExists: 409, .keystoreLocked: 409, .keyDisabled: 409,
        .quotaExceeded: 429, .mechanismUnsupported: 501,
        .tokenUnavailable: 503, .storageUnavailable: 503, .overloaded: 503,
        .upstreamFailed: 502, .deadlineExceeded: 504, .internal: 500,
    ]
}

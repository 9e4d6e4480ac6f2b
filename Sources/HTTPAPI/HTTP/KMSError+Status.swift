import Keystores

extension KMSError {
    /// The HTTP status of an answer with this error.
    var httpStatus: Int { code == .upstreamFailed && isPassing ? 503 : code.httpStatus }
}

extension KMSError.Code {
    /// The HTTP status of an answer with this code; 500 for a code this table does not know.
    var httpStatus: Int { Self.httpStatuses[self] ?? 500 }

    /// One row per code; a test walks ``allCases`` and fails for a code without one.
    static let httpStatuses: [KMSError.Code: Int] = [
        .invalidArgument: 400, .ciphertextInvalid: 400, .signatureInvalid: 400,
        .unauthenticated: 401, .permissionDenied: 403,
        .notFound: 404, .alreadyExists: 409, .conflict: 409, .keystoreLocked: 409, .keyDisabled: 409,
        .quotaExceeded: 429, .mechanismUnsupported: 501,
        .tokenUnavailable: 503, .storageUnavailable: 503, .overloaded: 503,
        .upstreamFailed: 502, .deadlineExceeded: 504, .internal: 500,
    ]
}

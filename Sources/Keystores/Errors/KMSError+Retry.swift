extension KMSError.Code {
    /// Whether the same request may succeed later without anybody changing anything.
    public var isRetryable: Bool {
        switch self {
        case .tokenUnavailable, .storageUnavailable, .overloaded, .deadlineExceeded, .upstreamFailed: true
        default: false
        }
    }
}

import Capabilities
import EnclaveLock
import HTTPTypes
import Keystores

/// The status of TrustBloc's server for a failure, for callers that compare it.
///
/// It has 400 only for a controller or a share that is missing or unreadable, and 500 for everything else. What it
/// has no counterpart of keeps our status: sizes, quotas, overload, a token that is away.
enum UpstreamStatus {
    static func status(_ status: HTTPResponse.Status, for error: any Error) -> HTTPResponse.Status {
        // To TrustBloc's server every other server's failure is one of its own.
        if (error as? KMSError)?.code == .upstreamFailed { return .internalServerError }
        switch status.code {
        case 400: return isUpstreamRefusal(error) ? status : .internalServerError
        case 403, 404, 409, 501, 502: return .internalServerError
        default: return status
        }
    }

    private static func isUpstreamRefusal(_ error: any Error) -> Bool {
        switch error {
        case let error as KMSError: error.missingShare != nil || error.underlying is CapabilityError
        case let error as JSONError: error.isUpstreamRefusal
        case let error as RequestError: error.isUpstreamRefusal
        default: false
        }
    }
}

extension KMSError {
    /// What a keystore of shares misses in the request, in the words of TrustBloc's server; nil if it misses nothing.
    var missingShare: String? {
        guard let code = (underlying as? EnclaveLockError)?.code else { return nil }
        switch code {
        case .userMissing: return "create shamir secret lock: validation failed: empty user"
        case .shareMissing: return "create shamir secret lock: validation failed: empty secret share"
        default: return nil
        }
    }

    /// For the caller.
    var apiMessage: String { missingShare ?? message }
}

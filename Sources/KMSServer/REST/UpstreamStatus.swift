import HTTPTypes
import Keystores

/// The original server's status for a failure, for callers that compare it.
///
/// It has 400 only for a controller or a share that is missing or unreadable, and 500 for everything else. What it
/// has no counterpart of keeps our status: sizes, quotas, overload, a token that is away.
enum UpstreamStatus {
    static func status(_ status: HTTPResponse.Status, for error: any Error) -> HTTPResponse.Status {
        switch status.code {
        case 400:
            let message = text(error)
            let isValidation = message.contains("validation failed") || message.contains("secret share from header")
            return isValidation ? status : .internalServerError
        case 403, 404, 409, 501, 502: return .internalServerError
        default: return status
        }
    }

    private static func text(_ error: any Error) -> String {
        switch error {
        case let error as KMSError: error.message
        case let error as JSONError: error.message
        case let error as RequestError: error.message
        default: ""
        }
    }
}

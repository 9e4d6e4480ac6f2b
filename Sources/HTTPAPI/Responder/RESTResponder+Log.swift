import Keystores
import Logging

extension RESTResponder {
    /// Failures of ours are errors; the caller's mistakes and a token that is away are told to the caller only.
    func log(_ error: any Error, _ operation: StaticString, _ id: RequestID) {
        switch error {
        case let error as KMSError where error.code == .internal || error.code == .storageUnavailable:
            logger.error("\(operation) failed", metadata: ["id": "\(id.own)", "error": "\(error)"])
        case is KMSError, is JSONError, is RequestError:
            logger.debug("\(operation) refused", metadata: ["id": "\(id.own)", "error": "\(error)"])
        case is CancellationError:
            logger.debug("\(operation) cancelled", metadata: ["id": "\(id.own)"])
        default: logger.error("\(operation) failed", metadata: ["id": "\(id.own)", "error": "\(error)"])
        }
    }
}

import HTTPTypes
import Hummingbird
import Keystores

/// The forms an answer of the first generation has.
enum LegacyResponses {
    static func object(
        status: HTTPResponse.Status = .ok, capacity: Int = 256, _ body: (inout JSONWriter) -> Void
    ) -> Response {
        Responses.json(JSONWriter.object(capacity: capacity, urlSafe: true, body), status: status)
    }

    /// 400 for a body that cannot be read, 500 for every other failure; the text says which it was.
    static func error(_ error: any Error, operation: StaticString) -> Response {
        switch error {
        case let error as KMSError: Self.error(500, "\(operation): \(error.apiMessage)")
        case let error as JSONError: Self.error(400, "\(operation): \(error.message)")
        case let error as RequestError: Self.error(error, operation)
        default: Self.error(500, "\(operation): internal error")
        }
    }

    private static func error(_ error: RequestError, _ operation: StaticString) -> Response {
        var response = Self.error(error.status, "\(operation): \(error.message)")
        if error.closesConnection { response.headers[.connection] = "close" }
        return response
    }

    private static func error(_ status: Int, _ message: String) -> Response {
        Responses.json(
            JSONWriter.object { $0.member("errMessage", message) }, status: HTTPResponse.Status(code: status))
    }
}

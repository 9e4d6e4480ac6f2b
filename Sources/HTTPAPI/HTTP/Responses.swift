import HTTPTypes
package import Hummingbird
import Keystores
package import NIOCore

/// The forms an answer can have.
package enum Responses {
    /// 200 with an object, or with nothing: verification answers so.
    package static func json(_ body: ByteBuffer = ByteBuffer(), status: HTTPResponse.Status = .ok) -> Response {
        var headers = HTTPFields()
        headers[.contentType] = "application/json"
        return Response(
            status: status, headers: headers,
            body: body.readableBytes == 0 ? ResponseBody() : ResponseBody(byteBuffer: body))
    }

    static func object(capacity: Int = 256, _ body: (inout JSONWriter) -> Void) -> Response {
        json(JSONWriter.object(capacity: capacity, body))
    }

    /// The same text twice: one generation of clients reads `message`, another `errMessage`.
    package static func error(status: Int, message: String) -> Response {
        var response = json(errorBody(message), status: HTTPResponse.Status(code: status))
        if status == 503 { response.headers[.retryAfter] = "1" }
        return response
    }

    package static func errorBody(_ message: String) -> ByteBuffer {
        JSONWriter.object { writer in
            writer.member("message", message)
            writer.member("errMessage", message)
        }
    }

    /// An error as the API tells it; `operation` says what was tried.
    static func error(_ error: any Error, operation: StaticString) -> Response {
        switch error {
        case let error as KMSError:
            return Self.error(status: error.httpStatus, message: "\(operation): \(error.apiMessage)")
        case let error as JSONError: return Self.error(status: 400, message: "\(operation): \(error.message)")
        case let error as RequestError:
            var response = Self.error(status: error.status, message: "\(operation): \(error.message)")
            // A rate, which passes; a quota does not.
            if error.status == 429 { response.headers[.retryAfter] = "1" }
            if error.closesConnection { response.headers[.connection] = "close" }
            return response
        default: return Self.error(status: 500, message: "\(operation): internal error")
        }
    }

    /// As TrustBloc's server answers a path it does not know.
    package static func notFound() -> Response { plain(.notFound, "404 page not found") }

    static func plain(_ status: HTTPResponse.Status, _ line: String) -> Response {
        var headers = HTTPFields()
        headers[.contentType] = "text/plain; charset=utf-8"
        headers[.noSniff] = "nosniff"
        return Response(
            status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: line + "\n")))
    }

    /// A path it knows, asked with another method: no body.
    package static func methodNotAllowed(_ allowed: String) -> Response {
        var headers = HTTPFields()
        headers[.allow] = allowed
        return Response(status: .methodNotAllowed, headers: headers)
    }
}

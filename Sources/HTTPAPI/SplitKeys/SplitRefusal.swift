import HTTPTypes
import Hummingbird
import NIOCore
import SplitKeys

/// A request of the split-key front that is refused, with its status.
struct SplitRefusal: Error {
    var status: Int
    /// One line for the caller.
    var message: String
    /// For the operator's log.
    var detail: String?
    var closesConnection = false

    init(status: Int, message: String, detail: String? = nil, closesConnection: Bool = false) {
        self.status = status
        self.message = message
        self.detail = detail
        self.closesConnection = closesConnection
    }

    /// - Parameter unknownStatus: What this route answers for a key or wallet that is not there: 0Chain's tests
    ///   expect 500 on the co-signing routes and 400 elsewhere.
    init(_ error: any Error, unknownStatus: Int) {
        switch error {
        case let error as SplitRefusal: self = error
        case let error as SplitKeyError:
            self.init(
                status: error.code == .notFound ? unknownStatus : Self.status(error.code), message: error.message,
                detail: error.description)
        case let error as JSONError: self.init(status: 400, message: error.message)
        case let error as RequestError:
            self.init(status: error.status, message: error.message, closesConnection: error.closesConnection)
        default: self.init(status: 500, message: "internal error", detail: "\(error)")
        }
    }

    private static func status(_ code: SplitKeyError.Code) -> Int {
        switch code {
        case .invalidArgument, .notPermitted, .revoked, .expired, .shareInvalid: 400
        case .forbidden: 403
        case .conflict: 409
        case .rateLimited: 429
        case .unsupported: 501
        case .tokenUnavailable, .storageUnavailable: 503
        default: 500
        }
    }

    /// One line of plain text: 0Chain's tests need an error not to decode as JSON.
    var response: Response {
        var headers = HTTPFields()
        headers[.contentType] = "text/plain; charset=utf-8"
        headers[.noSniff] = "nosniff"
        if status == 503 || status == 429 { headers[.retryAfter] = "1" }
        if closesConnection { headers[.connection] = "close" }
        // A caller's words may be in the message; they stay on its line.
        let line = String(
            String.UnicodeScalarView(
                message.unicodeScalars.filter { scalar in
                    switch scalar.properties.generalCategory {
                    case .control, .format, .lineSeparator, .paragraphSeparator: false
                    default: true
                    }
                }))
        return Response(
            status: HTTPResponse.Status(code: status), headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(string: line + "\n")))
    }
}

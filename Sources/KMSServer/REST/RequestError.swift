/// A request refused before it reached the domain.
struct RequestError: Error, Equatable {
    var status: Int
    var message: String
    /// Whether a rest of the body is not worth reading.
    var closesConnection = false

    static func badRequest(_ message: String) -> RequestError { RequestError(status: 400, message: message) }

    static func tooLarge(limit: Int, isRead: Bool) -> RequestError {
        RequestError(status: 413, message: "the body is larger than \(limit) bytes", closesConnection: !isRead)
    }
}

/// A request refused before it reached the domain.
struct RequestError: Error, Equatable {
    var status: Int
    var message: String
    /// Whether a rest of the body is not worth reading.
    var closesConnection = false
    /// Whether TrustBloc's server refuses it with 400, too.
    var isUpstreamRefusal = false

    static func badRequest(_ message: String) -> RequestError { RequestError(status: 400, message: message) }

    /// In the words of TrustBloc's server.
    static let unreadableShare = RequestError(
        status: 400, message: "bad request: decode secret share from header", isUpstreamRefusal: true)

    /// - Parameter limit: In bytes, as the setting says it, or what the route itself takes at most.
    static func tooLarge(limit: Int, isRead: Bool) -> RequestError {
        RequestError(
            status: 413, message: "the body is larger than \(limit) bytes, the most that max-body or this route allows",
            closesConnection: !isRead)
    }
}

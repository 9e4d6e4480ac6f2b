import Encodings
import HTTPTypes
import Hummingbird

/// Which pages of other origins may call this server from a browser (Fetch standard, "CORS protocol").
///
/// Requests carry no cookies, so no credentials are allowed.
package struct CrossOriginPolicy: Sendable {
    /// Nil: every origin.
    let origins: Set<ExactText>?
    /// Nil: whatever the page asks for.
    let headers: String?

    /// What `enable-cors` means on TrustBloc's server.
    package static let everybody = CrossOriginPolicy(origins: nil, headers: nil)

    /// For pages of the listed origins that call the split-key API.
    package static func splitKeys(_ origins: [String]) -> CrossOriginPolicy {
        CrossOriginPolicy(
            origins: Set(origins.map { ExactText($0) }), headers: "Content-Type, X-Jwt-Token, X-Peer-Public-Key")
    }

    private static let methods = "GET, POST, PUT, OPTIONS"

    /// The answer to a preflight request; nil if the request is none.
    func preflight(_ request: Request) -> Response? {
        guard request.method == .options, request.headers[.origin] != nil,
            request.headers[.accessControlRequestMethod] != nil
        else { return nil }
        var response = Response(status: .noContent)
        decorate(&response, for: request)
        guard response.headers[.accessControlAllowOrigin] != nil else { return response }
        response.headers[.accessControlAllowMethods] = Self.methods
        if let allowed = headers ?? request.headers[.accessControlRequestHeaders] {
            response.headers[.accessControlAllowHeaders] = allowed
        }
        response.headers[.accessControlMaxAge] = "60"
        return response
    }

    /// Tells the browser whether the page may read the answer.
    func decorate(_ response: inout Response, for request: Request) {
        guard let origin = request.headers[.origin] else { return }
        guard let origins else {
            response.headers[.accessControlAllowOrigin] = "*"
            return
        }
        response.headers[.vary] = "Origin"
        if origins.contains(ExactText(origin)) { response.headers[.accessControlAllowOrigin] = origin }
    }
}

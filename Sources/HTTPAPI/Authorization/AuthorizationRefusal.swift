import HTTPTypes
import Hummingbird

/// Why a request may not act.
struct AuthorizationRefusal: Error {
    /// 400, 401, 403, or 503 if it cannot be decided now.
    let status: Int
    /// For the caller.
    let text: Text
    /// For the operator's log.
    let reason: String
    /// Value of `WWW-Authenticate`.
    var challenge: String?

    enum Text: Equatable {
        /// Plain text, as TrustBloc's middleware gives it: one word, so that nobody learns which check failed.
        case word(String)
        /// The API's error body.
        case message(String)
    }

    static func unauthorized(_ reason: String) -> AuthorizationRefusal {
        AuthorizationRefusal(status: 401, text: .word("unauthorized"), reason: reason)
    }

    static func malformed(_ reason: String) -> AuthorizationRefusal {
        AuthorizationRefusal(status: 400, text: .word("bad request"), reason: reason)
    }

    static func forbidden(_ reason: String) -> AuthorizationRefusal {
        AuthorizationRefusal(status: 403, text: .word("forbidden"), reason: reason)
    }

    /// A refusal whose reason the caller may read.
    static func explained(_ status: Int, _ message: String, challenge: String? = nil) -> AuthorizationRefusal {
        AuthorizationRefusal(status: status, text: .message(message), reason: message, challenge: challenge)
    }
}

extension Responses {
    /// As the authorization of TrustBloc's server answers, or with the API's error body where ours explains itself.
    static func refusal(_ refusal: AuthorizationRefusal) -> Response {
        var response: Response
        switch refusal.text {
        case .word(let word): response = plain(HTTPResponse.Status(code: refusal.status), word)
        case .message(let message): response = error(status: refusal.status, message: message)
        }
        if let challenge = refusal.challenge { response.headers[.wwwAuthenticate] = challenge }
        return response
    }
}

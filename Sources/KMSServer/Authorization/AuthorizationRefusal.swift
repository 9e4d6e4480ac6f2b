/// Why a request may not act; the answer is plain text, as the original server's middleware gives it.
struct AuthorizationRefusal: Error {
    /// 400, 401 or 403.
    let status: Int
    /// For the caller: one word, so that nobody learns which check failed.
    let word: String
    /// For the operator's log.
    let reason: String

    static func unauthorized(_ reason: String) -> AuthorizationRefusal {
        AuthorizationRefusal(status: 401, word: "unauthorized", reason: reason)
    }

    static func malformed(_ reason: String) -> AuthorizationRefusal {
        AuthorizationRefusal(status: 400, word: "bad request", reason: reason)
    }

    static func forbidden(_ reason: String) -> AuthorizationRefusal {
        AuthorizationRefusal(status: 403, word: "forbidden", reason: reason)
    }
}

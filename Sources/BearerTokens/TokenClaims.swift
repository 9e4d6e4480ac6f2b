import Encodings

/// What a token claims, checked against the settings (RFC 7519 §4.1).
enum TokenClaims {
    /// The scope (RFC 8693 §4.2) of a service, which may act for any user.
    static let serviceScope = "kms:service"
    /// In bytes.
    static let longestUser = 256
    /// The end of the year 9999; what is later is a mistake or an attack.
    private static let latest: Double = 253_402_300_799

    static func check(
        _ claims: JSONNode, _ settings: BearerTokenSettings, now: Int64
    ) throws(BearerTokenError) -> BearerIdentity {
        guard let expiry = try time(claims, "exp") else { throw refused("the token has no exp") }
        guard Double(now) < expiry + Double(settings.skew) else { throw refused("the token has expired") }
        for name in ["nbf", "iat"] {
            guard let start = try time(claims, name) else { continue }
            guard start <= Double(now) + Double(settings.skew) else { throw refused("the token is not valid yet") }
        }
        if let issuer = settings.issuer {
            guard let claimed = claims["iss"]?.text, claimed.isExactly(issuer) else {
                throw refused("the token is of another issuer")
            }
        }
        try checkAudience(claims["aud"], settings.audience)
        let user = try user(claims)
        let scopes = claims["scope"]?.text?.splitExactly(at: " ") ?? []
        return BearerIdentity(user: user, isService: scopes.containsExactly(serviceScope))
    }

    /// A NumericDate, which may have a fraction (RFC 7519 §2); nil if the claim is absent.
    private static func time(_ claims: JSONNode, _ name: String) throws(BearerTokenError) -> Double? {
        guard let node = claims[name] else { return nil }
        guard let seconds = node.number, (0...latest).contains(seconds) else {
            throw refused("\(name) is not a number of seconds between the years 1970 and 9999")
        }
        return seconds
    }

    private static func checkAudience(_ claim: JSONNode?, _ expected: String?) throws(BearerTokenError) {
        guard let expected else {
            if claim != nil { throw refused("the token has an aud, and none is configured (jwt-audience)") }
            return
        }
        let values = claim?.elements?.compactMap(\.text) ?? [claim?.text].compactMap { $0 }
        guard values.containsExactly(expected) else {
            throw refused("the token is for another audience")
        }
    }

    /// `user_id`, else `sub`; one that is there in another form is not passed over.
    private static func user(_ claims: JSONNode) throws(BearerTokenError) -> ExactText {
        for name in ["user_id", "sub"] {
            guard let node = claims[name] else { continue }
            guard let user = node.text else { throw refused("\(name) is not a text") }
            if let problem = NamingText.problem(user, limit: longestUser) { throw refused("\(name) \(problem)") }
            return ExactText(user)
        }
        throw refused("the token has neither user_id nor sub")
    }

    private static func refused(_ message: String) -> BearerTokenError { BearerTokenError(.claimsRefused, message) }
}

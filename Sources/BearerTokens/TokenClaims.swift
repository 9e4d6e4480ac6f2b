import StrictJSON

/// What a token claims, checked against the settings (RFC 7519 §4.1).
enum TokenClaims {
    /// The scope (RFC 8693 §4.2) of a service, which may act for any user.
    static let serviceScope = "kms:service"
    /// The end of the year 9999; what is later is a mistake or an attack.
    private static let latest: Int64 = 253_402_300_799

    static func check(
        _ claims: JSONNode, _ settings: BearerTokenSettings, now: Int64
    ) throws(BearerTokenError) -> BearerIdentity {
        guard let expiry = try time(claims, "exp") else { throw refused("the token has no exp") }
        guard now < expiry + settings.skew else { throw refused("the token has expired") }
        for name in ["nbf", "iat"] {
            guard let start = try time(claims, name) else { continue }
            guard start <= now + settings.skew else { throw refused("the token is not valid yet") }
        }
        if let issuer = settings.issuer {
            guard let claimed = claims["iss"]?.text, same(claimed, issuer) else {
                throw refused("the token is of another issuer")
            }
        }
        try checkAudience(claims["aud"], settings.audience)
        let user = try user(claims)
        let scopes = claims["scope"]?.text?.split(separator: " ") ?? []
        return BearerIdentity(user: user, isService: scopes.contains { same(String($0), serviceScope) })
    }

    /// Whole seconds; nil if the claim is absent.
    private static func time(_ claims: JSONNode, _ name: String) throws(BearerTokenError) -> Int64? {
        guard let node = claims[name] else { return nil }
        guard let seconds = node.wholeNumber, (0...latest).contains(seconds) else {
            throw refused("\(name) is not a whole number of seconds")
        }
        return seconds
    }

    private static func checkAudience(_ claim: JSONNode?, _ expected: String?) throws(BearerTokenError) {
        guard let expected else {
            if claim != nil { throw refused("the token has an aud, and none is configured (jwt-audience)") }
            return
        }
        let values = claim?.elements?.compactMap(\.text) ?? [claim?.text].compactMap { $0 }
        guard values.contains(where: { same($0, expected) }) else {
            throw refused("the token is for another audience")
        }
    }

    /// `user_id`, else `sub`; one that is there in another form is not passed over.
    private static func user(_ claims: JSONNode) throws(BearerTokenError) -> String {
        for name in ["user_id", "sub"] {
            guard let node = claims[name] else { continue }
            guard let user = node.text, (1...256).contains(user.utf8.count),
                user.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
            else { throw refused("\(name) is not a name of 1 to 256 bytes") }
            return user
        }
        throw refused("the token has neither user_id nor sub")
    }

    /// Byte for byte, where `==` would take different spellings of a character for the same.
    private static func same(_ left: String, _ right: String) -> Bool { left.utf8.elementsEqual(right.utf8) }

    private static func refused(_ message: String) -> BearerTokenError { BearerTokenError(.claimsRefused, message) }
}

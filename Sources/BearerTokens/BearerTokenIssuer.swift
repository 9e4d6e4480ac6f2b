import Encodings
public import LibCrypto
public import SecretMemory

/// Makes HS256 tokens for trying out; real ones come from the operator's own issuer.
public enum BearerTokenIssuer {
    /// - Parameters:
    ///   - user: Becomes `user_id` and `sub`.
    ///   - seconds: Until the token expires.
    ///   - now: Seconds since 1970.
    public static func issue(
        user: String, isService: Bool = false, seconds: Int64, now: Int64, audience: String? = nil,
        issuer: String? = nil, secret: borrowing SecretBytes
    ) throws(LibCryptoError) -> String {
        let name = quoted(user)
        var more = isService ? ",\"scope\":\"\(TokenClaims.serviceScope)\"" : ""
        if let audience { more += ",\"aud\":" + quoted(audience) }
        if let issuer { more += ",\"iss\":" + quoted(issuer) }
        let payload = "{\"sub\":\(name),\"user_id\":\(name),\"iat\":\(now),\"exp\":\(now + seconds)\(more)}"
        let signed = Base64.encode(#"{"alg":"HS256","typ":"JWT"}"#.utf8, .url) + "." + Base64.encode(payload.utf8, .url)
        return signed + "." + Base64.encode(try HMAC.sha256(key: secret, Array(signed.utf8)), .url)
    }

    /// A JSON string.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\\(scalar)"
            case "\u{0}"..<" ":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}

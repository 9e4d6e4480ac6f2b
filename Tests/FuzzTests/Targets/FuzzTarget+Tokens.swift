import Encodings
import Foundation
import SecretMemory

@testable import BearerTokens

extension FuzzTarget {
    /// JSON Web Tokens and the sets of keys that verify them.
    static let tokens = [
        FuzzTarget("jwt", longest: 2048) { bytes throws(FuzzFinding) in
            guard let token = parsed({ try CompactToken(text(bytes)) }) else { return }
            let parts = text(bytes).split(separator: ".", omittingEmptySubsequences: false)
            try claim(parts.count == 3, "a token of other than three parts")
            try claim(same(text(token.signed), parts[0] + "." + parts[1]), "what is signed is not what was sent")
            try claim(same(Base64.encode(token.signature, .url), String(parts[2])), "a signature has two spellings")
            _ = parsed { try TokenClaims.check(token.claims, bearerSettings, now: 1_800_000_000) }
        },
        // The claims alone: base64 hides them from what mutates tokens.
        FuzzTarget("jwt-claims", longest: 2048) { bytes throws(FuzzFinding) in
            guard let claims = parsed({ try JSONNode(reading: bytes) }),
                let identity = parsed({ try TokenClaims.check(claims, bearerSettings, now: 1_800_000_000) })
            else { return }
            try claim((1...256).contains(identity.user.utf8.count), "a user's name is empty or too long")
            let expiry = claims["exp"]?.number ?? 0
            try claim(expiry + 60 > 1_800_000_000, "an expired token is accepted")
        },
        FuzzTarget("key-set", longest: 2048) { bytes throws(FuzzFinding) in
            guard let keys = parsed({ try KeySet(reading: bytes) })?.keys else { return }
            try claim(keys.count <= KeySet.maximumKeys, "too many keys")
            for key in keys {
                try claim(!key.verifies([UInt8](repeating: 0, count: 64), of: bytes), "a signature of zeros verifies")
            }
        },
    ]

    private static let bearerSettings: BearerTokenSettings = {
        var settings = BearerTokenSettings(secret: nil, keySet: nil, algorithms: [.hs256])
        settings.issuer = nil
        return settings
    }()
}

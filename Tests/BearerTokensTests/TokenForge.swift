import Encodings
import Foundation
import LibCrypto
import SecretMemory
import TestSupport

@testable import BearerTokens

/// Makes tokens, right ones and wrong ones.
enum TokenForge {
    static let now: Int64 = 1_800_000_000
    static let clock = TokenClock(now: { now }, elapsed: { .zero })
    static let secretBytes = [UInt8](0..<32)

    static func sharedSecret() throws -> SharedSecret { SharedSecret(try secret(secretBytes)) }

    static func claims(_ more: String = "") -> String {
        #"{"sub":"bob","user_id":"alice","iat":\#(now - 10),"exp":\#(now + 600)\#(more)}"#
    }

    /// Signs any header and payload.
    static func token(
        header: String = #"{"alg":"HS256","typ":"JWT"}"#, payload: String = claims(),
        sign: ([UInt8]) throws -> [UInt8] = { try mac($0, secretBytes) }
    ) throws -> String {
        let signed = Base64.encode(header.utf8, .url) + "." + Base64.encode(payload.utf8, .url)
        return signed + "." + Base64.encode(try sign(Array(signed.utf8)), .url)
    }

    static func mac(_ bytes: [UInt8], _ key: [UInt8]) throws -> [UInt8] {
        try HMAC.sha256(key: try secret(key), bytes)
    }

    /// A verifier of HS256 tokens.
    static func verifier(
        issuer: String? = nil, audience: String? = nil
    ) throws -> BearerTokenVerifier {
        BearerTokenVerifier(
            BearerTokenSettings(secret: try sharedSecret(), issuer: issuer, audience: audience), clock: clock)
    }

    /// The code a verifier refuses a token with; nil if it accepts it.
    static func refusal(_ token: String, _ verifier: BearerTokenVerifier) async -> BearerTokenError.Code? {
        do throws(BearerTokenError) {
            _ = try await verifier.verify(token)
            return nil
        } catch { return error.code }
    }
}

import Encodings
import Foundation
import LibCrypto
import OutboundHTTP
import Synchronization
import TestSupport

@testable import BearerTokens

/// Private keys of an issuer, and the set it publishes.
struct IssuerKeys {
    let p256: SigningKey
    let ed25519: SigningKey
    /// PEM, made and used by the openssl command.
    let rsa: URL

    init() throws {
        p256 = try SigningKey.generate(.p256)
        ed25519 = try SigningKey.generate(.ed25519)
        rsa = try ScratchDirectory.make("rsa").appendingPathComponent("key.pem")
        try Command.succeed("openssl", ["genrsa", "-out", rsa.path, "2048"])
    }

    var jwks: String { #"{"keys":[\#(es256("e1")),\#(edDSA("d1")),\#((try? rs256("r1")) ?? "")]}"# }

    func es256(_ kid: String) -> String {
        let x = Base64.encode(p256.publicKey[1...32], .url)
        let y = Base64.encode(p256.publicKey[33...], .url)
        return #"{"kty":"EC","crv":"P-256","kid":"\#(kid)","use":"sig","alg":"ES256","x":"\#(x)","y":"\#(y)"}"#
    }

    func edDSA(_ kid: String) -> String {
        #"{"kty":"OKP","crv":"Ed25519","kid":"\#(kid)","x":"\#(Base64.encode(ed25519.publicKey, .url))"}"#
    }

    func rs256(_ kid: String) throws -> String {
        let text = try Command.succeed("openssl", ["rsa", "-in", rsa.path, "-noout", "-modulus"]).text
        let modulus = hex(String(text.dropFirst("Modulus=".count)))
        return #"{"kty":"RSA","kid":"\#(kid)","alg":"RS256","n":"\#(Base64.encode(modulus, .url))","e":"AQAB"}"#
    }

    func token(_ algorithm: String, kid: String?, payload: String = TokenForge.claims()) throws -> String {
        let member = kid.map { #","kid":"\#($0)""# } ?? ""
        return try TokenForge.token(header: #"{"alg":"\#(algorithm)"\#(member)}"#, payload: payload) { signed in
            switch algorithm {
            case "ES256": try p256.sign(signed, encoding: .p1363)
            case "EdDSA": try ed25519.sign(signed)
            default: try OpenSSLCommand.output(["dgst", "-sha256", "-sign", rsa.path], input: signed)
            }
        }
    }
}

/// A key server as a script: what it answers next, and how often it was asked.
final class KeyServer: OutboundSending {
    private let script = Mutex<(answer: Result<OutboundAnswer, OutboundError>, count: Int)>(
        (.failure(OutboundError(.unreachable, "down")), 0))

    var count: Int { script.withLock { $0.count } }

    func answers(_ status: Int, _ body: String) { answers(status, bytes: Array(body.utf8)) }

    func answers(_ status: Int, bytes: [UInt8]) {
        script.withLock { $0.answer = .success(OutboundAnswer(status: status, body: bytes)) }
    }

    func answers(_ body: [UInt8]) { script.withLock { $0.answer = .success(OutboundAnswer(status: 200, body: body)) } }

    func isDown() { script.withLock { $0.answer = .failure(OutboundError(.unreachable, "down")) } }

    func send(_ request: OutboundRequest) async throws(OutboundError) -> OutboundAnswer {
        let answer = script.withLock { script in
            script.count += 1
            return script.answer
        }
        return try answer.get()
    }
}

/// A clock the test turns.
final class TurnedClock: Sendable {
    private let seconds = Mutex<Int64>(0)

    func advance(_ step: Int64) { seconds.withLock { $0 += step } }

    var clock: TokenClock {
        TokenClock(now: { TokenForge.now }, elapsed: { [self] in .seconds(seconds.withLock { $0 }) })
    }
}

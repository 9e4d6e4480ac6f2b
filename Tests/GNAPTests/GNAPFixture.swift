import Encodings
import Foundation
import LibCrypto
import OutboundHTTP
import SecretMemory
import Synchronization
import TestSupport

@testable import GNAP

/// An authorization server as a script: what it says about a token, and the last request it got.
final class AuthorizationServer: OutboundSending {
    struct State {
        var answer: Result<OutboundAnswer, OutboundError> = .failure(OutboundError(.unreachable, "down"))
        var last: OutboundRequest?
        var count = 0
    }
    private let state = Mutex(State())

    var last: OutboundRequest? { state.withLock { $0.last } }
    var count: Int { state.withLock { $0.count } }

    func answers(_ body: String, status: Int = 200) {
        state.withLock { $0.answer = .success(OutboundAnswer(status: status, body: Array(body.utf8))) }
    }

    func send(_ request: OutboundRequest) async throws(OutboundError) -> OutboundAnswer {
        let answer = state.withLock { state in
            state.last = request
            state.count += 1
            return state.answer
        }
        return try answer.get()
    }
}

/// A client with a key and a token, which signs what it sends.
struct GNAPClient {
    static let now: Int64 = 1_800_000_000
    let key: SigningKey
    var token = "OS9M2PMHKUR64TB8N6BW7OZB8CDFONP219RP1LT0"

    init(_ curve: SigningCurve = .p256) throws { key = try SigningKey.generate(curve) }

    var jwk: String {
        if key.curve == .ed25519 {
            return #"{"kty":"OKP","crv":"Ed25519","x":"\#(Base64.encode(key.publicKey, .url))"}"#
        }
        let x = Base64.encode(key.publicKey[1...32], .url)
        let y = Base64.encode(key.publicKey[33...], .url)
        return #"{"kty":"EC","crv":"P-256","kid":"c","alg":"ES256","x":"\#(x)","y":"\#(y)"}"#
    }

    /// What the server says about this client's token.
    func active(subject: String? = "alice", proof: String = "httpsig") -> String {
        let data = subject.map { #","subject_data":{"sub":"\#($0)"}"# } ?? ""
        return #"{"active":true,"access":[],"key":{"proof":"\#(proof)","jwk":\#(jwk)}\#(data)}"#
    }

    func request(
        _ method: String = "POST", _ uri: String = "https://kms.example/v1/keystores/a/keys",
        body: String = #"{"a":1}"#,
        components: [String]? = nil, parameters: String = "created=1800000000", sign: Bool = true
    ) throws -> MessageRequest {
        let bytes = Array(body.utf8)
        var request = MessageRequest(
            method: method, targetURI: uri, fields: ["authorization": ["GNAP " + token]], body: bytes)
        var covered = ["@method", "@target-uri", "authorization"]
        if !bytes.isEmpty {
            let digest = Base64.encode(try Digest.sha256(bytes))
            request.fields["content-digest"] = ["sha-256=:\(digest):"]
            covered.append("content-digest")
        }
        guard sign else { return request }
        let list = (components ?? covered).map { "\"\($0)\"" }.joined(separator: " ")
        try resign(&request, "(\(list))" + (parameters.isEmpty ? "" : ";" + parameters))
        return request
    }

    /// Signs with a text made here, line by line, not by the code under test.
    func resign(_ request: inout MessageRequest, _ parameters: String) throws {
        let names = parameters.dropFirst().prefix { $0 != ")" }.split(separator: " ").map { $0.filter { $0 != "\"" } }
        var lines: [String] = []
        for name in names {
            switch name {
            case "@method": lines.append("\"@method\": " + request.method)
            case "@target-uri": lines.append("\"@target-uri\": " + request.targetURI)
            default: lines.append("\"\(name)\": " + (request.fields[name] ?? []).joined(separator: ", "))
            }
        }
        lines.append("\"@signature-params\": " + parameters)
        let signature = try key.sign(Array(lines.joined(separator: "\n").utf8), encoding: .p1363)
        request.fields["signature-input"] = ["sig1=" + parameters]
        request.fields["signature"] = ["sig1=:\(Data(signature).base64EncodedString()):"]
    }
}

/// A resource server's key made by the openssl command, as its operators make it.
func resourceServerKey() throws -> ResourceServerKey {
    let pem = try OpenSSLCommand.output(["ecparam", "-name", "prime256v1", "-genkey"])
    return try ResourceServerKey(pem: try secret(pem))
}

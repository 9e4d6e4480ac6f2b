import Encodings
import FoundationEssentials
import LibCrypto
import OutboundHTTP

/// Asks the authorization server about tokens: `POST {server}/gnap/introspect`, signed with the resource server's key.
///
/// - Concurrency: any number of calls at once.
struct IntrospectionClient: Sendable {
    static let maximumAnswer = 64 * 1024
    /// For all tries of one question.
    private static let patience = Duration.seconds(20)

    let url: String
    let key: ResourceServerKey
    let outbound: any OutboundSending

    /// - Parameters:
    ///   - server: Base URL without a slash at its end.
    init(server: String, key: ResourceServerKey, outbound: any OutboundSending) {
        url = server + "/gnap/introspect"
        self.key = key
        self.outbound = outbound
    }

    /// - Parameter token: Plain characters only, so that it needs no escaping.
    /// - Throws: ``GNAPError`` with `.tokenRefused` or `.introspectionFailed`.
    func introspect(_ token: String, now: Int64) async throws(GNAPError) -> Introspection {
        let answer: OutboundAnswer
        do {
            // Asking changes nothing, so it may be done twice.
            answer = try await OutboundRetry(outbound, until: .now + Self.patience).send { try signed(token, now: now) }
        } catch let error as OutboundError {
            throw GNAPError(.introspectionFailed, error.message)
        } catch is CancellationError {
            throw GNAPError(.introspectionFailed, "the request was cancelled")
        } catch {
            throw GNAPError(.introspectionFailed, "the call could not be signed")
        }
        guard answer.status == 200 else {
            throw GNAPError(.introspectionFailed, "the authorization server answered \(answer.status)")
        }
        guard answer.body.count <= Self.maximumAnswer, let document = try? JSONNode(reading: answer.body),
            let isActive = document["active"]?.flag
        else { throw GNAPError(.introspectionFailed, "the authorization server's answer cannot be read") }
        guard isActive else { throw GNAPError(.tokenRefused, "the token is not active") }
        guard let bound = document["key"], let jwk = bound["jwk"], Self.isHTTPSig(bound["proof"]) else {
            throw GNAPError(.tokenRefused, "the token is bound to no key, or to another proof than httpsig")
        }
        return Introspection(key: try ClientKey(jwk: jwk), subject: document["subject_data"]?["sub"]?.text)
    }

    /// A word, or an object whose `method` is the word (RFC 9635 §7.3); nothing said leaves it to the key.
    private static func isHTTPSig(_ proof: JSONNode?) -> Bool {
        guard let proof else { return true }
        return (proof.text ?? proof["method"]?.text)?.isExactly("httpsig") ?? false
    }

    private func signed(_ token: String, now: Int64) throws(LibCryptoError) -> OutboundRequest {
        let body = Array(
            (#"{"access_token":"\#(token)","proof":"httpsig","#
                + #""resource_server":{"key":{"proof":"httpsig","jwk":\#(key.jwk)}}}"#).utf8)
        let digest = try ContentDigest.field(body)
        let parameters = #"("@method" "@target-uri" "content-digest");created=\#(now);keyid="\#(key.keyID)""#
        let base = """
            "@method": POST
            "@target-uri": \(url)
            "content-digest": \(digest)
            "@signature-params": \(parameters)
            """
        let signature = Base64.encode(try key.key.sign(Array(base.utf8), encoding: .p1363))
        return OutboundRequest(
            method: "POST", url: url,
            headers: [
                (name: "Content-Type", value: "application/json"), (name: "Accept", value: "application/json"),
                (name: "Content-Digest", value: digest), (name: "Signature-Input", value: "sig1=" + parameters),
                (name: "Signature", value: "sig1=:\(signature):"),
            ], body: body)
    }
}

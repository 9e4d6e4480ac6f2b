import FoundationEssentials
import LibCrypto
import Outbound
import StrictJSON
import TextEncodings

/// Asks the authorization server about tokens: `POST {server}/gnap/introspect`, signed with the resource server's key.
///
/// - Concurrency: any number of calls at once.
struct IntrospectionClient: Sendable {
    static let maximumAnswer = 64 * 1024

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
        let request: OutboundRequest
        do throws(LibCryptoError) { request = try signed(token, now: now) } catch {
            throw GNAPError(.introspectionFailed, "the call could not be signed")
        }
        let answer: OutboundAnswer
        do throws(OutboundError) { answer = try await outbound.send(request) } catch {
            throw GNAPError(.introspectionFailed, error.message)
        }
        guard answer.status == 200 else {
            throw GNAPError(.introspectionFailed, "the authorization server answered \(answer.status)")
        }
        guard answer.body.count <= Self.maximumAnswer, let document = try? JSONNode(reading: answer.body),
            let isActive = document["active"]?.flag
        else { throw GNAPError(.introspectionFailed, "the authorization server's answer cannot be read") }
        guard isActive else { throw GNAPError(.tokenRefused, "the token is not active") }
        guard let bound = document["key"], let jwk = bound["jwk"], bound["proof"]?.text ?? "httpsig" == "httpsig" else {
            throw GNAPError(.tokenRefused, "the token is bound to no key, or to another proof than httpsig")
        }
        return Introspection(key: try ClientKey(jwk: jwk), subject: document["subject_data"]?["sub"]?.text)
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

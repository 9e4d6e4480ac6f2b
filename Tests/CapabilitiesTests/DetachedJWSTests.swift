import Encodings
import LibCrypto
import Testing

@testable import Capabilities

/// Headers of proofs are read by their members, and what came is what was signed.
@Suite(.timeLimit(.minutes(10))) struct DetachedJWSTests {
    private let fixture: CapabilityFixture
    private let child: Capability

    init() throws {
        fixture = try CapabilityFixture()
        child = try fixture.child()
    }

    /// The child's proof signed anew over another header, by the key it names.
    private func proof(header: String) throws -> CapabilityProof {
        var proof = try #require(child.proof.first)
        let input = try CapabilityProofs.signingInput(proof, of: child, header: header)
        proof.jws = header + ".." + Base64.encode(try fixture.key("controller").sign(input), .url)
        return proof
    }

    private func refusal(_ proof: CapabilityProof) -> String? {
        do throws(CapabilityError) {
            try CapabilityProofs.verify(proof, of: child)
            return nil
        } catch {
            return error.code == .unauthorized ? error.message : "another error"
        }
    }

    private func encoded(_ text: String) -> String { Base64.encode(Array(text.utf8), .url) }

    @Test(arguments: [
        #"{"alg":"EdDSA","b64":false,"crit":["b64"]}"#,
        #"{"alg":"EdDSA","crit":["b64"],"b64":false}"#,
        #"{"b64":false,"crit":["b64"],"alg":"EdDSA"}"#,
        #"{"crit":["b64"],"alg":"EdDSA","b64":false}"#,
        #" { "crit" : [ "b64" ] , "b64" : false, "alg" : "\u0045dDSA" } "#,
        #"{"alg":"EdDSA","b64":false,"crit":["b64"],"kid":"did:key:z","typ":"JOSE"}"#,
    ])
    func theOrderOfMembersDoesNotMatter(header: String) throws {
        #expect(refusal(try proof(header: encoded(header))) == nil)
    }

    @Test func theSignatureIsOverTheTextThatCame() throws {
        let one = try proof(header: encoded(#"{"alg":"EdDSA","b64":false,"crit":["b64"]}"#))
        let other = encoded(#"{"alg":"EdDSA","crit":["b64"],"b64":false}"#)
        var mixed = one
        mixed.jws = other + (try #require(one.jws)).drop { $0 != "." }
        #expect(refusal(mixed) == "the proof does not verify")
    }

    @Test(arguments: [
        (#"{"alg":"ES256","b64":false,"crit":["b64"]}"#, "alg is not EdDSA"),
        (#"{"alg":"none","b64":false,"crit":["b64"]}"#, "alg is not EdDSA"),
        (#"{"alg":"eddsa","b64":false,"crit":["b64"]}"#, "alg is not EdDSA"),
        (#"{"b64":false,"crit":["b64"]}"#, "alg is not EdDSA"),
        (#"{"alg":"EdDSA","b64":true,"crit":["b64"]}"#, "b64 is not false"),
        (#"{"alg":"EdDSA","b64":"false","crit":["b64"]}"#, "b64 is not false"),
        (#"{"alg":"EdDSA","b64":null,"crit":["b64"]}"#, "b64 is not false"),
        (#"{"alg":"EdDSA"}"#, "b64 is not false"),
        (#"{"alg":"EdDSA","b64":false}"#, "crit is not"),
        (#"{"alg":"EdDSA","b64":false,"crit":[]}"#, "crit is not"),
        (#"{"alg":"EdDSA","b64":false,"crit":["b64","b64"]}"#, "crit is not"),
        (#"{"alg":"EdDSA","b64":false,"crit":["b64","exp"],"exp":1}"#, "crit is not"),
        (#"{"alg":"EdDSA","b64":false,"crit":"b64"}"#, "crit is not"),
        (#"{"alg":"EdDSA","alg":"EdDSA","b64":false,"crit":["b64"]}"#, "not a JSON object"),
        (#"{"alg":"EdDSA","b64":true,"b64":false,"crit":["b64"]}"#, "not a JSON object"),
        (#"["EdDSA"]"#, "not a JSON object"), ("", "not a JSON object"), ("null", "not a JSON object"),
        (#"{"alg":"EdDSA","b64":false,"crit":["b64"]} x"#, "not a JSON object"),
    ])
    func otherMembersAreRefusedByName(header: String, reason: String) throws {
        #expect(refusal(try proof(header: encoded(header)))?.contains(reason) == true)
    }

    @Test func headersThatAreNotBase64URLAreRefused() throws {
        let header = #"{"alg":"EdDSA","b64":false,"crit":["b64"],"k":"??>>~~"}"#
        let url = encoded(header)
        #expect(refusal(try proof(header: url)) == nil)
        for other in [url + "=", url + "\n", " " + url, url.replacing("_", with: "/"), String(url.dropLast())] {
            #expect(refusal(try proof(header: other))?.contains("not a JSON object in base64url") == true, "\(other)")
        }
        let long = encoded(
            #"{"alg":"EdDSA","b64":false,"crit":["b64"],"k":"\#(String(repeating: "a", count: 1_000))"}"#)
        #expect(refusal(try proof(header: long))?.contains("not a JSON object in base64url") == true)
    }

    @Test func anAttachedPayloadIsRefused() throws {
        let good = try proof(header: encoded(#"{"alg":"EdDSA","crit":["b64"],"b64":false}"#))
        let parts = try #require(good.jws).split(separator: ".", omittingEmptySubsequences: false)
        for jws in ["\(parts[0]).e30.\(parts[2])", "\(parts[0])..\(parts[2]).", "\(parts[0]).\(parts[2])", ""] {
            var wrong = good
            wrong.jws = jws
            #expect(refusal(wrong)?.contains("not a detached") == true)
        }
    }
}

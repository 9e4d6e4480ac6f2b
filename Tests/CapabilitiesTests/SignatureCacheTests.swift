import Encodings
import Foundation
import LibCrypto
import Testing

@testable import Capabilities

/// What is remembered of signatures must change no answer.
@Suite(.timeLimit(.minutes(10))) struct SignatureCacheTests {
    private let fixture: CapabilityFixture

    init() throws { fixture = try CapabilityFixture() }

    private func outcome(
        _ verifier: CapabilityVerifier, _ request: HTTPSignature.Request, action: String = "sign",
        body: [UInt8] = [], root: Capability? = nil, now: Int64 = CapabilityFixture.now
    ) throws -> CapabilityError.Code? {
        let stored = try root ?? fixture.root
        do throws(CapabilityError) {
            _ = try verifier.verify(request, body: body, action: action, root: stored, now: now)
            return nil
        } catch {
            return error.code
        }
    }

    @Test func aHeaderThatComesAgainIsFoundAndNothingElseIs() throws {
        let verifier = CapabilityVerifier(mode: .compatible)
        let cache = try #require(verifier.signatures)
        let child = try fixture.child(actions: ["sign", "verify"])
        let request = try fixture.request(child, by: "third_party")
        for _ in 0..<3 { #expect(try outcome(verifier, request) == nil) }
        #expect(cache.count == 1)
        // Another action, keystore or invoker with the very same signature.
        #expect(try outcome(verifier, request, action: "verify") == .unauthorized)
        var other = try fixture.root
        other.id = "\(other.id)x"
        other.invocationTarget.id = other.id
        #expect(try outcome(verifier, request, root: other) == .unauthorized)
        var borrowed = try fixture.request(try fixture.child(invoker: "server"), by: "server")
        borrowed.headers["signature"] = request.headers["signature"]
        #expect(try outcome(verifier, borrowed) == .unauthorized)
        // The same words with another signature, and the same signature with other words.
        let header = try #require(request.headers.only("signature")).components(separatedBy: ",signature=")
        let forged = try #require(try fixture.request(child, by: "controller").headers.only("signature"))
            .components(separatedBy: ",signature=")
        let words = header[0].replacingOccurrences(of: "created=16", with: "created=15")
        for text in [header[0] + ",signature=" + forged[1], words + ",signature=" + header[1]] {
            var changed = request
            changed.headers["signature"] = [text]
            #expect(try outcome(verifier, changed) == .unauthorized)
        }
        #expect(cache.count == 1)
    }

    @Test(arguments: ["digest", "host", "(request-target)"])
    func whatIsCoveredIsComparedEachTime(_ name: String) throws {
        let verifier = CapabilityVerifier(mode: .compatible)
        let body = Array("{}".utf8)
        let request = try fixture.request(
            try fixture.child(), by: "third_party", covered: ["(created)", name],
            headers: ["digest": try HTTPSignature.digest(of: body)])
        for _ in 0..<2 { #expect(try outcome(verifier, request, body: body) == nil) }
        var changed = request
        switch name {
        case "digest": changed.headers["digest"] = [try HTTPSignature.digest(of: [1])]
        case "host": changed.headers["host"] = ["elsewhere.example"]
        default: changed.uri += "?x"
        }
        #expect(try outcome(verifier, changed, body: name == "digest" ? [1] : body) == .unauthorized)
        if name == "digest" { #expect(try outcome(verifier, request, body: [1]) == .unauthorized) }
        #expect(try outcome(verifier, request, body: body) == nil)
    }

    @Test func timesAreCheckedEachTime() throws {
        let verifier = CapabilityVerifier(mode: .compatible)
        let request = try fixture.request(try fixture.child(), by: "third_party")
        #expect(try outcome(verifier, request) == nil)
        #expect(try outcome(verifier, request, now: CapabilityFixture.now - CapabilityVerifier.skew) == nil)
        #expect(
            try outcome(verifier, request, now: CapabilityFixture.now - CapabilityVerifier.skew - 1) == .unauthorized)
        let until = CapabilityFixture.now + 5
        let expiring = try expiring(until)
        #expect(try outcome(verifier, expiring) == nil)
        #expect(try outcome(verifier, expiring, now: until) == nil)
        #expect(try outcome(verifier, expiring, now: until + 1) == .unauthorized)
    }

    private func expiring(_ until: Int64) throws -> HTTPSignature.Request {
        var request = try fixture.request(try fixture.child(), by: "third_party")
        let parameters =
            "keyId=\"\(try fixture.did("third_party"))\",algorithm=\"\(HTTPSignature.algorithm)\","
            + "created=\(CapabilityFixture.now),expires=\(until),headers=\"(created) (expires)\""
        let text = try HTTPSignature(header: parameters + ",signature=\"\"").signingString(for: request)
        let signature = try fixture.key("third_party").sign(Array(text.utf8))
        request.headers["signature"] = [parameters + ",signature=\"\(Data(signature).base64EncodedString())\""]
        return request
    }

    @Test func strictModeRemembersNoSignature() throws {
        let verifier = CapabilityVerifier(mode: .strict)
        let request = try fixture.request(
            try fixture.child(), by: "third_party",
            covered: ["(created)", "(request-target)", "host", "capability-invocation"])
        #expect(try outcome(verifier, request) == nil)
        #expect(try outcome(verifier, request) == .unauthorized)
        #expect(verifier.signatures?.count == 0)
    }

    @Test func onlyWhatWasAcceptedIsRemembered() throws {
        let verifier = CapabilityVerifier(mode: .compatible)
        // Its signature holds, its capability does not.
        let forged = try fixture.request(try fixture.child(signer: "third_party"), by: "third_party")
        for _ in 0..<2 { #expect(try outcome(verifier, forged) == .unauthorized) }
        #expect(verifier.signatures?.count == 0)
        #expect(verifier.signatures?.signer(try fixture.did("third_party").description) == nil)
    }

    @Test func itForgetsWithTimeAndStaysInItsBounds() throws {
        let cache = SignatureCache(seconds: 10, limit: 4)
        let request = try fixture.request(try fixture.child(), by: "third_party")
        let signature = try HTTPSignature(header: try #require(request.headers.only("signature")))
        let entry = SignatureCache.Entry(signature: signature, key: try fixture.did("third_party"), text: [1])
        cache.remember(entry, [0], headerLength: 9, now: 100)
        #expect(cache.find([0], now: 109) != nil)
        #expect(cache.find([0], now: 110) == nil)
        // A clock that was set back does not make it live longer.
        #expect(cache.find([0], now: 99) == nil)
        cache.remember(entry, [1], headerLength: 9_000, now: 100)
        #expect(cache.find([1], now: 100) == nil)
        for number in UInt8(2)...50 {
            #expect(cache.find([0], now: 100) != nil, "what is in use stays")
            cache.remember(entry, [number], headerLength: 9, now: 100)
            #expect((1...4).contains(cache.count))
        }
    }
}

import Encodings
import Foundation
import LibCrypto
import Testing

@testable import Capabilities

@Suite(.timeLimit(.minutes(10))) struct CapabilityVectorTests {
    private let fixture: CapabilityFixture

    init() throws { fixture = try CapabilityFixture() }

    @Test func identifiersAreTheKeys() throws {
        for name in ["server", "controller", "third_party"] {
            #expect(try fixture.did(name).description == fixture.file.keys[name + "_did_key_url"])
            #expect(DIDKey(try fixture.did(name).description) == (try fixture.did(name)))
        }
    }

    @Test func documentsCanonicaliseAsTheVectorsSay() throws {
        for document in [fixture.file.rootCapability, fixture.file.delegatedCapability] {
            let capability = try Capability(json: Array(document.documentJson.utf8))
            let proof = try #require(capability.proof.first)
            #expect(try Canonicalization.document(capability) == document.canonicalDocumentNquads)
            #expect(try Canonicalization.options(proof) == document.canonicalProofNquads)
            let input = try CapabilityProofs.signingInput(proof, of: capability)
            #expect(input == CapabilityFixture.bytes(document.jwsSigningInputHex))
            try CapabilityProofs.verify(proof, of: capability)
            #expect(String(decoding: capability.json(), as: UTF8.self) == document.documentJson)
        }
    }

    @Test func compressedDocumentsOpenAndRoundTrip() throws {
        let compressed = try #require(Base64.decode(fixture.file.rootCapability.gzipBase64Url, .either))
        let json = try Gzip.expand(compressed)
        #expect(String(decoding: json, as: UTF8.self) == fixture.file.rootCapability.documentJson)
        #expect(try Gzip.expand(try Gzip.compress(json)) == json)
    }

    @Test func requestsAsTheGoClientsSendThemVerify() throws {
        let vector = fixture.file.httpSignatureAsGoClientsSend
        let invocation = try #require(vector.capabilityInvocationHeader)
        let request = HTTPSignature.Request(
            method: "POST", uri: CapabilityFixture.path,
            headers: [
                "signature": [vector.signatureHeader], "capability-invocation": [invocation], "digest": [""],
            ])
        let action = try Invocation(header: invocation).action
        let key = try CapabilityVerifier(mode: .compatible).verify(
            request, body: [], action: action.text, root: try fixture.root, now: CapabilityFixture.now)
        #expect(key.key == (try fixture.did("controller")) && key.spent == nil)
    }

    @Test func fullyCoveredRequestsVerifyInStrictModeOnce() throws {
        let vector = fixture.file.httpSignatureFullCoverage
        var headers: [String: [String]] = ["signature": [vector.signatureHeader]]
        for line in vector.signingString.split(separator: "\n") where !line.hasPrefix("(") {
            let parts = line.split(separator: ":", maxSplits: 1)
            headers[String(parts[0])] = [String(parts[1].dropFirst())]
        }
        let request = HTTPSignature.Request(method: "POST", uri: CapabilityFixture.path, headers: headers)
        #expect(try HTTPSignature(header: vector.signatureHeader).signingString(for: request) == vector.signingString)
        let body = Array(try #require(vector.bodyAscii).utf8)
        let verifier = CapabilityVerifier(mode: .strict)
        let root = try fixture.root
        let verify = { (body: [UInt8], now: Int64) throws in
            _ = try verifier.verify(request, body: body, action: "sign", root: root, now: now)
        }
        #expect(throws: CapabilityError.self) { try verify(body + [0x20], CapabilityFixture.now) }
        #expect(throws: CapabilityError.self) { try verify(body, CapabilityFixture.now + 301) }
        #expect(throws: CapabilityError.self) { try verify(body, CapabilityFixture.now - 31) }
        try verify(body, CapabilityFixture.now + 1)
        #expect(throws: CapabilityError.self) { try verify(body, CapabilityFixture.now + 2) }
    }
}

import Encodings
import Foundation
import TestSupport
import Testing

@testable import Capabilities

/// Mutated documents and headers are refused or mean exactly what was signed; the same seeds give the same mutations.
@Suite(.timeLimit(.minutes(10))) struct CapabilityFuzzTests {
    private let fixture: CapabilityFixture

    init() throws { fixture = try CapabilityFixture() }

    @Test func mutatedDocumentsAreRefusedOrWrittenBackAlike() throws {
        let good = try fixture.child(caveats: [.init(type: "expiry", duration: 60)]).json()
        var mutator = Mutator(seed: 61)
        var read = 0
        for _ in 0..<20_000 {
            guard let capability = try? Capability(json: mutator.mutate(good)) else { continue }
            read += 1
            #expect(try Capability(json: capability.json()) == capability)
        }
        #expect(read > 100)
    }

    /// What no proof covers may differ: caveats, and the target's type; the target itself is compared with the root's.
    @Test func aMutatedChildGivesNoOtherRight() throws {
        let root = try fixture.root
        let child = try fixture.child()
        let canonical = try Canonicalization.document(child)
        let json = child.json()
        var mutator = Mutator(seed: 62)
        let verifier = CapabilityVerifier(mode: .compatible)
        var accepted = 0
        for _ in 0..<3_000 {
            guard let mutated = try? Capability(json: mutator.mutate(json)),
                (try? verifier.verify(
                    try fixture.request(mutated, by: "third_party"), body: [], action: "sign", root: root,
                    now: CapabilityFixture.now)) != nil
            else { continue }
            accepted += 1
            #expect(try Canonicalization.document(mutated) == canonical)
            #expect(mutated.invocationTarget.id == root.invocationTarget.id)
        }
        #expect(accepted > 10)
    }

    @Test func mutatedSignatureHeadersSignNothingElse() throws {
        let good = try fixture.request(
            try fixture.root, by: "controller",
            covered: ["(created)", "(request-target)", "host", "capability-invocation"])
        let header = try #require(good.headers["signature"]?.first)
        let signed = try HTTPSignature(header: header)
        let text = try signed.signingString(for: good)
        let root = try fixture.root
        let verifier = CapabilityVerifier(mode: .compatible)
        var mutator = Mutator(seed: 63)
        for _ in 0..<20_000 {
            var request = good
            let mutated = String(decoding: mutator.mutate(Array(header.utf8)), as: UTF8.self)
            request.headers["signature"] = [mutated]
            guard
                (try? verifier.verify(request, body: [], action: "sign", root: root, now: CapabilityFixture.now)) != nil
            else { continue }
            let read = try HTTPSignature(header: mutated)
            #expect(try read.signingString(for: request) == text && read.signature == signed.signature)
        }
    }

    @Test func mutatedInvocationsMeanTheSameOrNothing() throws {
        let header = try Invocation(capability: try fixture.child(), action: "sign").header()
        let good = try Invocation(header: header)
        var mutator = Mutator(seed: 64)
        for _ in 0..<10_000 {
            let text = String(decoding: mutator.mutate(Array(header.utf8)), as: UTF8.self)
            // gzip's own checksum stands for the document's bytes.
            if let read = try? Invocation(header: text) { #expect(read.capability == good.capability) }
        }
        let packed = try Gzip.compress(good.capability.json())
        for _ in 0..<10_000 {
            if let bytes = try? Gzip.expand(mutator.mutate(packed)) { #expect(bytes.count <= 65_536) }
        }
    }

    @Test func keysAndTimesHaveOneSpelling() throws {
        let did = try fixture.did("controller")
        var mutator = Mutator(seed: 65)
        for text in [did.description, did.did] {
            for _ in 0..<10_000 {
                let mutated = String(decoding: mutator.mutate(Array(text.utf8)), as: UTF8.self)
                if let read = DIDKey(mutated) { #expect([read.did, read.description].contains(mutated)) }
            }
        }
        for _ in 0..<10_000 {
            let mutated = mutator.mutate(Array("2021-11-26T16:51:50.123456789+01:00".utf8))
            if let seconds = Timestamp.seconds(String(decoding: mutated, as: UTF8.self)) {
                #expect((-62_200_000_000...253_500_000_000).contains(seconds))
            }
        }
    }
}

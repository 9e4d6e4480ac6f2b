import Encodings
import Foundation
import TestSupport
import Testing

@testable import Capabilities

/// What must be refused, whoever signs it.
@Suite(.timeLimit(.minutes(10))) struct CapabilityAttackTests {
    private let fixture: CapabilityFixture

    init() throws { fixture = try CapabilityFixture() }

    private func outcome(
        _ request: HTTPSignature.Request, action: String = "sign", mode: CapabilityVerifier.Mode = .compatible,
        now: Int64 = CapabilityFixture.now, stored: [Capability] = [], body: [UInt8] = []
    ) throws -> CapabilityError.Code? {
        let root = try fixture.root
        do throws(CapabilityError) {
            _ = try CapabilityVerifier(mode: mode).verify(
                request, body: body, action: action, root: root, now: now
            ) { id in stored.first { $0.id == id } }
            return nil
        } catch {
            return error.code
        }
    }

    @Test func anHonestChildIsAccepted() throws {
        let child = try fixture.child()
        #expect(try outcome(try fixture.request(child, by: "third_party")) == nil)
    }

    /// A self-signed root that names the public keystore URL and the attacker as invoker.
    @Test func aForgedRootIsRefused() throws {
        var forged = try fixture.root
        forged.invoker = ExactText(try fixture.did("third_party").description)
        forged = try fixture.signed(forged, by: "third_party", chain: nil)
        #expect(try outcome(try fixture.request(forged, by: "third_party")) == .unauthorized)
    }

    /// The stored root, presented by somebody who is not its invoker.
    /// Targets, actions, invokers and names are compared by bytes, not by what their characters are equivalent to.
    @Test func equivalentTextsAreOtherOnes() throws {
        let (composed, decomposed) = ("caf\u{e9}", "cafe\u{301}")
        let target = "https://kms.example/v1/keystores/"
        let invoker = try fixture.did("controller").description
        func root(_ name: String, actions: [String]) throws -> Capability {
            try fixture.signed(
                Capability(
                    id: target + name, invoker: invoker, allowedAction: actions,
                    invocationTarget: Capability.Target(id: target + name, type: "urn:kms:keystore")),
                by: "controller", chain: nil)
        }
        func outcome(_ capability: Capability, _ root: Capability, action: String, asked: String) throws
            -> CapabilityError.Code?
        {
            let request = try fixture.request(capability, by: "controller", action: action)
            do throws(CapabilityError) {
                _ = try CapabilityVerifier(mode: .compatible).verify(
                    request, body: [], action: asked, root: root, now: CapabilityFixture.now)
                return nil
            } catch { return error.code }
        }
        let stored = try root(composed, actions: [composed, "sign"])
        #expect(try outcome(stored, stored, action: composed, asked: composed) == nil)
        for (capability, action, asked) in [
            (try root(decomposed, actions: [composed, "sign"]), "sign", "sign"),
            (try root(composed, actions: [decomposed, "sign"]), "sign", "sign"),
            (stored, decomposed, composed), (stored, composed, decomposed), (stored, decomposed, decomposed),
        ] {
            #expect(try outcome(capability, stored, action: action, asked: asked) == .unauthorized)
        }
        // A key that is named with the Kelvin sign for a K is no key.
        #expect(DIDKey(invoker.replacing("k", with: "\u{212A}")) == nil)
        // Both spellings of an action are signed.
        let both = try root(composed, actions: [composed, decomposed])
        #expect(try Canonicalization.document(both).split(separator: "allowedAction").count == 3)
    }

    @Test func anotherInvokerIsRefused() throws {
        #expect(try outcome(try fixture.request(try fixture.root, by: "third_party")) == .unauthorized)
    }

    /// A child whose proof is by the attacker instead of the root's invoker.
    @Test func aForgedChildIsRefused() throws {
        let forged = try fixture.child(signer: "third_party")
        #expect(try outcome(try fixture.request(forged, by: "third_party")) == .unauthorized)
    }

    @Test func aChangedChildIsRefused() throws {
        var changed = try fixture.child()
        changed.allowedAction = ["sign", "exportKey"]
        #expect(try outcome(try fixture.request(changed, by: "third_party")) == .unauthorized)
    }

    @Test func otherActionsAndTargetsAreRefused() throws {
        let child = try fixture.child(actions: ["sign"])
        #expect(
            try outcome(try fixture.request(child, by: "third_party", action: "encrypt"), action: "encrypt")
                == .unauthorized)
        #expect(
            try outcome(try fixture.request(child, by: "third_party", action: "sign"), action: "rotateKey")
                == .unauthorized)
        let elsewhere = try fixture.child(target: "https://kms.example.com:8076/v1/keystores/other")
        #expect(try outcome(try fixture.request(elsewhere, by: "third_party")) == .unauthorized)
    }

    @Test func aChildMayNotWidenItsParent() throws {
        let middle = try fixture.child(invoker: "third_party", actions: ["sign"])
        let root = try fixture.root
        let wide = try fixture.child(
            invoker: "server", signer: "third_party", actions: ["sign", "encrypt"], parent: middle.id,
            chain: [root.id, middle.id])
        let narrow = try fixture.child(
            invoker: "server", signer: "third_party", actions: ["sign"], parent: middle.id,
            chain: [root.id, middle.id])
        #expect(try outcome(try fixture.request(narrow, by: "server"), stored: [middle]) == nil)
        #expect(try outcome(try fixture.request(narrow, by: "server")) == .unauthorized, "unknown parent")
        #expect(try outcome(try fixture.request(wide, by: "server"), stored: [middle]) == .unauthorized)
    }

    /// An empty list in a child means its parent's actions, not all actions.
    @Test func anEmptyListInheritsTheParents() throws {
        let middle = try fixture.child(invoker: "third_party", actions: ["sign"])
        let root = try fixture.root
        let open = try fixture.child(
            invoker: "server", signer: "third_party", actions: [], parent: middle.id, chain: [root.id, middle.id])
        #expect(try outcome(try fixture.request(open, by: "server"), stored: [middle]) == nil)
        #expect(
            try outcome(
                try fixture.request(open, by: "server", action: "encrypt"), action: "encrypt", stored: [middle])
                == .unauthorized)
    }

    @Test func loopsAndLongChainsAreRefused() throws {
        let root = try fixture.root
        var first = try fixture.child()
        first.parentCapability = first.id
        first = try fixture.signed(first, by: "controller", chain: [root.id, first.id])
        #expect(try outcome(try fixture.request(first, by: "third_party"), stored: [first]) == .unauthorized)
        let repeated = try? fixture.child(chain: [root.id, root.id])
        #expect(repeated == nil, "a chain that repeats an entry cannot be signed")
    }

    @Test func expiredAndUnknownCaveatsAreRefused() throws {
        let created: Int64 = 1_637_945_510
        let brief = try fixture.child(caveats: [.init(type: "expiry", duration: 60)])
        #expect(try outcome(try fixture.request(brief, by: "third_party", created: created), now: created + 59) == nil)
        #expect(
            try outcome(try fixture.request(brief, by: "third_party", created: created), now: created + 60)
                == .unauthorized)
        let odd = try fixture.child(caveats: [.init(type: "full-moon", duration: nil)])
        #expect(try outcome(try fixture.request(odd, by: "third_party")) == .unauthorized)
    }

    /// Each header that strict mode wants, left out in turn.
    @Test func strictModeNeedsFullCoverage() throws {
        let all = ["(created)", "(request-target)", "host", "capability-invocation", "digest", "secret-share"]
        let body = Array("{}".utf8)
        let headers = [
            "digest": "SHA-256=RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=", "secret-share": "c2hhcmU=",
        ]
        let root = try fixture.root
        let whole = try fixture.request(root, by: "controller", covered: all, headers: headers)
        #expect(try outcome(whole, mode: .strict, body: body) == nil)
        for missing in all {
            let request = try fixture.request(
                root, by: "controller", covered: all.filter { $0 != missing }, headers: headers)
            #expect(try outcome(request, mode: .strict, body: body) == .unauthorized, "\(missing) may be left out")
        }
        var moved = whole
        moved.uri += "?x"
        #expect(try outcome(moved, mode: .strict, body: body) == .unauthorized)
        var doubled = whole
        doubled.headers["host"] = ["kms.example.com:8076", "evil"]
        #expect(try outcome(doubled, mode: .strict, body: body) == .unauthorized)
    }

    /// Of many parallel uses of one signature exactly one wins.
    @Test func parallelReplaysHaveOneWinner() async throws {
        let root = try fixture.root
        let request = try fixture.request(
            root, by: "controller", covered: ["(created)", "(request-target)", "host", "capability-invocation"])
        let verifier = CapabilityVerifier(mode: .strict)
        let winners = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<64 {
                group.addTask {
                    (try? verifier.verify(
                        request, body: [], action: "sign", root: root, now: CapabilityFixture.now)) != nil
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(winners == 1)
    }

    @Test func malformedInvocationsAreMalformed() throws {
        let good = try fixture.request(try fixture.root, by: "controller")
        for header in [
            "", "zcap", "zcap ", "bearer x", "zcap capability=\"!\",action=\"sign\"", "zcap action=\"sign\"",
            "zcap capability=\"AAAA\",action=\"sign\"", "zcap capability=\"\",capability=\"\",action=\"sign\"",
        ] {
            var request = good
            request.headers["capability-invocation"] = [header]
            #expect(try outcome(request) == .malformed, "\(header)")
        }
    }

    /// A few bytes that expand to far more than a capability may have.
    @Test func compressionBombsAreCut() throws {
        let bomb = try Gzip.compress([UInt8](repeating: 0x20, count: 10_000_000))
        #expect(bomb.count < 20_000)
        #expect(throws: CapabilityError.self) { try Gzip.expand(bomb) }
    }

    @Test func parsersSurviveMutation() throws {
        var generator = Mutator(seed: 60)
        let request = try fixture.request(try fixture.child(), by: "third_party")
        let root = try fixture.root
        let verifier = CapabilityVerifier(mode: .compatible)
        var accepted = 0
        for round in 0..<20_000 {
            var mutated = request
            let name = round.isMultiple(of: 2) ? "signature" : "capability-invocation"
            var bytes = Array((mutated.headers[name]?.first ?? "").utf8)
            let place = Int.random(in: 0..<bytes.count, using: &generator)
            bytes[place] = bytes[place] ^ UInt8.random(in: 1...127, using: &generator)
            mutated.headers[name] = [String(decoding: bytes, as: UTF8.self)]
            let isAccepted =
                (try? verifier.verify(mutated, body: [], action: "sign", root: root, now: CapabilityFixture.now)) != nil
            accepted += isAccepted ? 1 : 0
        }
        // What still passes are other spellings of the same bytes, such as a change of a gzip header's time.
        #expect(accepted < 1_000)
    }
}

import Encodings
import Testing

@testable import Capabilities

/// Requests used again, and rights handed on: edges of time, of chains and of what is signed.
@Suite(.timeLimit(.minutes(10))) struct ReplayAndDelegationTests {
    private static let full = ["(created)", "(request-target)", "host", "capability-invocation"]
    private static let now = CapabilityFixture.now
    private let fixture: CapabilityFixture

    init() throws { fixture = try CapabilityFixture() }

    private func passes(
        _ request: HTTPSignature.Request, _ verifier: CapabilityVerifier, now: Int64 = now, body: [UInt8] = [],
        action: String = "sign", stored: [Capability] = []
    ) throws -> Bool {
        let root = try fixture.root
        do throws(CapabilityError) {
            _ = try verifier.verify(request, body: body, action: action, root: root, now: now) { id in
                stored.first { $0.id == id }
            }
            return true
        } catch {
            #expect(error.code == .unauthorized)
            return false
        }
    }

    @Test func timesAreHeldToTheSecond() throws {
        let root = try fixture.root
        for (created, isIn, isInStrictly) in [
            (Self.now + 30, true, true), (Self.now + 31, false, false), (Self.now - 300, true, true),
            (Self.now - 301, true, false), (Self.now - 3600, true, false),
        ] {
            let request = try fixture.request(root, by: "controller", created: created, covered: Self.full)
            #expect(try passes(request, CapabilityVerifier(mode: .compatible)) == isIn, "\(created)")
            #expect(try passes(request, CapabilityVerifier(mode: .strict)) == isInStrictly, "\(created)")
        }
    }

    @Test func nothingSignedBeforeTheStartIsAccepted() throws {
        let root = try fixture.root
        let early = try fixture.request(root, by: "controller", created: Self.now - 10, covered: Self.full)
        let late = try fixture.request(root, by: "controller", created: Self.now - 9, covered: Self.full)
        let verifier = CapabilityVerifier(mode: .strict, earlier: EarlierSignatures(since: Self.now - 9))
        #expect(try !passes(early, verifier))
        #expect(try passes(late, verifier))
        #expect(try passes(early, CapabilityVerifier(mode: .compatible, earlier: EarlierSignatures(since: Self.now))))
    }

    /// At every moment at which its time would let it pass again, and in every spelling.
    @Test func aSignatureIsUsedOnce() throws {
        let verifier = CapabilityVerifier(mode: .strict)
        let request = try fixture.request(
            try fixture.root, by: "controller", created: Self.now + 30, covered: Self.full)
        #expect(try passes(request, verifier))
        for later in stride(from: Int64(0), through: 400, by: 1) {
            #expect(try !passes(request, verifier, now: Self.now + later), "\(later)")
        }
        var respelled = request
        let header = try #require(request.headers["signature"]?.first)
        respelled.headers["signature"] = [header.replacing(",", with: ", ")]
        #expect(try !passes(respelled, verifier))
        #expect(try !passes(request, verifier, now: Self.now + 3600))
    }

    /// What is dated ahead is handed out to be written, and refused by the process that reads it back.
    @Test func aSignatureDatedAheadStaysUsedOverAStart() throws {
        let root = try fixture.root
        func verified(_ created: Int64, _ verifier: CapabilityVerifier) throws -> CapabilityVerifier.Verified {
            try verifier.verify(
                try fixture.request(root, by: "controller", created: created, covered: Self.full), body: [],
                action: "sign", root: root, now: Self.now)
        }
        let before = CapabilityVerifier(mode: .strict)
        #expect(try verified(Self.now, before).spent == nil)
        let spent = try #require(try verified(Self.now + 30, before).spent)
        #expect(spent.created == Self.now + 30 && spent.name.count == 64)
        #expect(try verified(Self.now + 30, CapabilityVerifier(mode: .compatible)).spent == nil)

        let ahead = try fixture.request(root, by: "controller", created: Self.now + 30, covered: Self.full)
        let start = Self.now + 2
        let unknowing = CapabilityVerifier(mode: .strict, earlier: EarlierSignatures(since: start))
        #expect(try passes(ahead, unknowing, now: start))
        let after = CapabilityVerifier(mode: .strict, earlier: EarlierSignatures(since: start, spent: [spent]))
        for later in stride(from: Int64(0), through: 400, by: 1) {
            #expect(try !passes(ahead, after, now: start + later), "\(later)")
        }
        let other = try fixture.request(root, by: "controller", created: Self.now + 29, covered: Self.full)
        #expect(try passes(other, after, now: start))
    }

    @Test func bodyAndHeadersCannotBeChangedAfterSigning() throws {
        let root = try fixture.root
        let body = Array("{}".utf8)
        let digest = "SHA-256=RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o="
        let good = try fixture.request(
            root, by: "controller", covered: Self.full + ["digest", "secret-share"],
            headers: ["digest": digest, "secret-share": "c2hhcmU="])
        let signature = try #require(good.headers["signature"]?.first)
        let changes: [(inout HTTPSignature.Request) -> Void] = [
            { $0.method = "PUT" }, { $0.uri += "/x" }, { $0.headers["host"] = ["other:8076"] },
            { $0.headers["host"] = nil }, { $0.headers["digest"] = ["MD5=mZFLkyvTelC5g8XnyQrpOw=="] },
            { $0.headers["digest"] = [digest, digest] }, { $0.headers["digest"] = nil },
            { $0.headers["secret-share"] = ["b3RoZXI="] }, { $0.headers["secret-share"] = ["c2hhcmU=", "c2hhcmU="] },
            { $0.headers["secret-share"] = nil }, { $0.headers["signature"] = [signature, signature] },
        ]
        for (index, change) in changes.enumerated() {
            var request = good
            change(&request)
            #expect(try !passes(request, CapabilityVerifier(mode: .strict), body: body), "change \(index)")
        }
        #expect(try !passes(good, CapabilityVerifier(mode: .strict), body: Array("{ }".utf8)))
        #expect(try passes(good, CapabilityVerifier(mode: .strict), body: body))
        // A share that comes along must be signed, too.
        let bare = try fixture.request(
            root, by: "controller", covered: Self.full + ["digest"],
            headers: ["digest": digest, "secret-share": "c2hhcmU="])
        #expect(try !passes(bare, CapabilityVerifier(mode: .strict), body: body))
    }

    @Test func longChainsAreRefused() throws {
        let root = try fixture.root
        for (length, isShort) in [(3, true), (8, true), (9, false), (50, false)] {
            var stored: [Capability] = []
            for _ in 0..<length {
                // Each proof names the root and the parent only, so that no proof itself is too long.
                let parent = stored.last?.id ?? root.id
                stored.append(
                    try fixture.child(
                        invoker: "controller", signer: "controller", parent: parent,
                        chain: parent == root.id ? [root.id] : [root.id, parent]))
            }
            let last = stored.removeLast()
            let request = try fixture.request(last, by: "controller")
            #expect(try passes(request, CapabilityVerifier(mode: .compatible), stored: stored) == isShort)
        }
    }

    /// A loop behind the presented capability, which no id of its own gives away.
    @Test func aLoopOfTwoIsRefused() throws {
        let root = try fixture.root
        var one = try fixture.child(invoker: "controller")
        let other = try fixture.child(invoker: "controller", parent: one.id, chain: [root.id, one.id])
        one.parentCapability = other.id
        one = try fixture.signed(one, by: "controller", chain: [root.id, other.id])
        let last = try fixture.child(parent: other.id, chain: [root.id, other.id])
        let request = try fixture.request(last, by: "third_party")
        #expect(try !passes(request, CapabilityVerifier(mode: .compatible), stored: [one, other]))
    }

    /// No proof covers caveats, but whoever presents one asks to be held to it.
    @Test func aPresentedRootIsHeldToItsCaveats() throws {
        let created = try #require(Timestamp.seconds(try fixture.root.proof[0].created))
        func passes(_ caveat: Capability.Caveat, now: Int64, _ verifier: CapabilityVerifier) throws -> Bool {
            var root = try fixture.root
            root.caveats = [caveat]
            return try self.passes(try fixture.request(root, by: "controller", created: now), verifier, now: now)
        }
        let verifier = CapabilityVerifier(mode: .compatible)
        #expect(try passes(.init(type: "expiry", duration: 60), now: created + 59, verifier))
        #expect(try !passes(.init(type: "expiry", duration: 60), now: created + 60, verifier))
        #expect(try !passes(.init(type: "full-moon", duration: 60), now: created + 59, verifier))
    }

    /// What a parent loses, its children lose: its time, and itself.
    @Test func aChildOutlivesNoParent() throws {
        let root = try fixture.root
        let parent = try fixture.child(
            invoker: "third_party", caveats: [.init(type: "expiry", duration: 60)])
        let child = try fixture.child(
            invoker: "server", signer: "third_party", caveats: [.init(type: "expiry", duration: 86_400)],
            parent: parent.id, chain: [root.id, parent.id])
        let verifier = CapabilityVerifier(mode: .compatible)
        let request = try fixture.request(child, by: "server")
        #expect(try passes(request, verifier, now: Self.now + 59, stored: [parent]))
        #expect(try !passes(request, verifier, now: Self.now + 60, stored: [parent]))
        #expect(try !passes(request, CapabilityVerifier(mode: .compatible), stored: []))
    }
}

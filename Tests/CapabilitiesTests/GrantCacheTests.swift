import Encodings
import Foundation
import Testing

@testable import Capabilities

/// One verifier for many requests, as the daemon has it: what is remembered must change no answer.
@Suite(.timeLimit(.minutes(10))) struct GrantCacheTests {
    private let fixture: CapabilityFixture
    private let verifier = CapabilityVerifier(mode: .compatible)

    init() throws { fixture = try CapabilityFixture() }

    private func outcome(
        _ request: HTTPSignature.Request, action: String = "sign", root: Capability? = nil,
        now: Int64 = CapabilityFixture.now
    ) throws -> CapabilityError.Code? {
        let stored = try root ?? fixture.root
        do throws(CapabilityError) {
            _ = try verifier.verify(request, body: [], action: action, root: stored, now: now)
            return nil
        } catch {
            return error.code
        }
    }

    private var remembered: Int { verifier.grants?.count ?? -1 }

    @Test func aGrantIsRememberedAndStillNeedsTheInvokersSignature() throws {
        let child = try fixture.child()
        let request = try fixture.request(child, by: "third_party")
        for _ in 0..<3 { #expect(try outcome(request) == nil) }
        #expect(remembered == 1)
        var stolen = try fixture.request(child, by: "controller")
        stolen.headers["capability-invocation"] = request.headers["capability-invocation"]
        #expect(try outcome(stolen) == .unauthorized)
        var unsigned = request
        unsigned.headers["signature"] = nil
        #expect(try outcome(unsigned) == .unauthorized)
        var changed = request
        changed.headers["signature"] = changed.headers["signature"]?.map {
            $0.replacingOccurrences(of: "created=\(CapabilityFixture.now)", with: "created=1")
        }
        #expect(try outcome(changed) == .unauthorized)
    }

    @Test func aRememberedGrantIsForItsActionAndItsRoot() throws {
        let child = try fixture.child(actions: ["sign", "verify"])
        let request = try fixture.request(child, by: "third_party")
        #expect(try outcome(request) == nil)
        #expect(try outcome(request, action: "verify") == .unauthorized)
        var other = try fixture.root
        other.invoker = ExactText(try fixture.did("third_party").description)
        #expect(try outcome(request, root: other) == .unauthorized)
        other = try fixture.root
        other.id = "\(other.id)x"
        other.invocationTarget.id = other.id
        #expect(try outcome(request, root: other) == .unauthorized)
    }

    @Test func aCaveatEndsARememberedGrant() throws {
        let created = try #require(Timestamp.seconds("2021-11-26T16:51:50Z"))
        let caveats = [30, 10, 20].map { Capability.Caveat(type: "expiry", duration: $0) }
        let request = try fixture.request(try fixture.child(caveats: caveats), by: "third_party", created: created)
        #expect(try outcome(request, now: created + 9) == nil)
        #expect(remembered == 1)
        #expect(try outcome(request, now: created + 10) == .unauthorized)
        #expect(try outcome(request, now: created + 9) == nil)
    }

    @Test func whatDoesNotHoldIsNotRemembered() throws {
        let forged = try fixture.child(signer: "third_party")
        for _ in 0..<2 { #expect(try outcome(try fixture.request(forged, by: "third_party")) == .unauthorized) }
        var request = try fixture.request(try fixture.child(), by: "third_party")
        request.headers["capability-invocation"] = [String(repeating: "z", count: 40_000)]
        #expect(try outcome(request) == .malformed)
        #expect(remembered == 0)
    }

    @Test func theCacheForgetsWithTimeAndStaysInItsBounds() throws {
        let root = try fixture.root
        let cache = GrantCache(seconds: 10, limit: 3)
        let grant = GrantCache.Grant(action: "sign", capability: root, end: nil)
        cache.remember(grant, [1], root: root, now: 100)
        #expect(cache.find([1], root: root, now: 109) != nil)
        #expect(cache.find([1], root: root, now: 110) == nil)
        // A clock that was set back does not make grants live longer.
        #expect(cache.find([1], root: root, now: 99) == nil)
        for number in UInt8(2)...9 {
            cache.remember(grant, [number], root: root, now: 100)
            #expect((1...3).contains(cache.count))
        }
    }
}

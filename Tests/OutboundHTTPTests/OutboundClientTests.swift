import Dispatch
import Testing

@testable import OutboundHTTP

/// Against servers in processes of their own; names come from a scripted name server.
@Suite(.timeLimit(.minutes(10))) struct OutboundClientTests {
    private func client(
        allow: String = "", trust: [String] = [], timeout: Duration = .seconds(20), maximumAnswer: Int = 1 << 20,
        resolver: any AddressResolving = ScriptedResolver(["127.0.0.1"])
    ) throws -> OutboundClient {
        OutboundClient(
            policy: try OutboundPolicy(allowing: allow), trust: try OutboundTrust(files: trust), timeout: timeout,
            maximumAnswer: maximumAnswer, resolver: resolver)
    }

    private func failure(_ client: OutboundClient, _ url: String) async -> OutboundError.Code? {
        do {
            _ = try await client.send(OutboundRequest(method: "GET", url: url))
            return nil
        } catch {
            return error.code
        }
    }

    @Test func anAllowedHostIsAnswered() async throws {
        let peer = try Peer()
        let client = try client(allow: "peer.test:\(peer.port)")
        let answer = try await client.send(
            OutboundRequest(
                method: "POST", url: "http://peer.test:\(peer.port)/x", headers: [(name: "X-Kind", value: "k")],
                body: [1, 2, 3]))
        #expect(answer.status == 201)
        #expect(answer.body == [3, 2, 1])
        #expect(answer.header("x-kind") == "k")
        let again = try await client.send(OutboundRequest(method: "GET", url: "http://PEER.test:\(peer.port)/y?z"))
        #expect(String(decoding: again.body, as: UTF8.self) == "peer.test:\(peer.port) /y?z")
        await client.shutdown()
        #expect(await failure(client, "http://peer.test:\(peer.port)/x") == .unreachable)
    }

    @Test func nothingIsSentToALoopbackThatIsNotListed() async throws {
        let peer = try Peer()
        let client = try client(resolver: SystemResolver())
        for host in ["127.0.0.1", "localhost", "[::1]", "2130706433"] {
            let isName = host == "localhost"
            #expect(
                await failure(client, "https://\(host):\(peer.port)/") == (isName ? .noAddress : .addressRefused))
            #expect(await failure(client, "http://\(host):\(peer.port)/") == .addressRefused)
        }
        await client.shutdown()
    }

    @Test func theSystemsNamesAreResolved() async throws {
        let peer = try Peer()
        let client = try client(allow: "localhost", resolver: SystemResolver())
        let answer = try await client.send(OutboundRequest(method: "GET", url: "http://localhost:\(peer.port)/"))
        #expect(answer.status == 200)
        await client.shutdown()
    }

    /// A name with a public and a private address may lead anywhere.
    @Test func oneRefusedAddressRefusesTheName() async throws {
        let client = try client(resolver: ScriptedResolver(["93.184.215.14", "10.0.0.1"]))
        #expect(await failure(client, "https://two.test/") == .noAddress)
        await client.shutdown()
    }

    /// The name's second answer is never asked for: the checked address is the one called.
    @Test func theCheckedAddressIsTheOneCalled() async throws {
        let peer = try Peer()
        let resolver = ScriptedResolver(["127.0.0.1"], ["169.254.169.254"])
        let client = try client(allow: "rebinds.test", resolver: resolver)
        let url = "http://rebinds.test:\(peer.port)/"
        #expect(await failure(client, url) == nil)
        #expect(resolver.count == 1)
        #expect(await failure(client, url) == .noAddress)
        #expect(resolver.count == 2)
        await client.shutdown()
    }

    @Test func aRedirectIsAnAnswer() async throws {
        let peer = try Peer()
        let client = try client(allow: "peer.test")
        let answer = try await client.send(
            OutboundRequest(method: "GET", url: "http://peer.test:\(peer.port)/redirect"))
        #expect(answer.status == 302)
        #expect(answer.header("location") == "/ok")
        await client.shutdown()
    }

    @Test func answersAreBoundedInLengthAndTime() async throws {
        let peer = try Peer()
        let base = "http://peer.test:\(peer.port)"
        let client = try client(allow: "peer.test", maximumAnswer: 1000)
        #expect(await failure(client, base + "/large/1000") == nil)
        #expect(await failure(client, base + "/large/1001") == .answerRefused)
        #expect(await failure(client, base + "/garbage") == .answerRefused)
        await client.shutdown()
        let hasty = try self.client(allow: "peer.test", timeout: .milliseconds(300))
        #expect(await failure(hasty, base + "/never") == .unreachable)
        #expect(await failure(hasty, base + "/stalls") == .unreachable)
        await hasty.shutdown()
    }

    @Test func aClosedPortIsUnreachableAndTheNextAddressIsTried() async throws {
        let peer = try Peer()
        let client = try client(allow: "127.0.0.0/8", resolver: ScriptedResolver(["127.0.0.77", "127.0.0.1"]))
        #expect(await failure(client, "http://two.test:\(peer.port)/") == nil)
        #expect(await failure(client, "http://127.0.0.77:\(peer.port)/") == .unreachable)
        await client.shutdown()
    }

    @Test func certificatesAreCheckedAgainstTheName() async throws {
        let certificate = try Peer.certificate(for: "peer.test")
        let peer = try Peer(certificate: certificate)
        let trusting = try client(allow: "127.0.0.0/8", trust: [certificate.0])
        #expect(await failure(trusting, "https://peer.test:\(peer.port)/") == nil)
        #expect(await failure(trusting, "https://other.test:\(peer.port)/") == .certificateRefused)
        await trusting.shutdown()
        let stranger = try client(allow: "127.0.0.0/8")
        #expect(await failure(stranger, "https://peer.test:\(peer.port)/") == .certificateRefused)
        await stranger.shutdown()
    }

    /// Whoever answers the look-up chooses the address, and may have a certificate for it that all the world trusts.
    @Test func aCertificateForTheAddressIsNoneForTheName() async throws {
        let certificate = try Peer.certificate(for: "stranger.test", names: "IP:127.0.0.1")
        let peer = try Peer(certificate: certificate)
        let client = try client(allow: "127.0.0.0/8", trust: [certificate.0])
        #expect(await failure(client, "https://peer.test:\(peer.port)/") == .certificateRefused)
        #expect(await failure(client, "https://127.0.0.1:\(peer.port)/") == nil)
        // Once more, since a refused connection is not kept for the next call.
        #expect(await failure(client, "https://peer.test:\(peer.port)/") == .certificateRefused)
        await client.shutdown()
    }

    @Test(arguments: [
        ("DNS:*.peer.test", true), ("DNS:other.test,DNS:A.PEER.TEST", true), ("IP:127.0.0.1,DNS:a.peer.test", true),
        ("DNS:*", false), ("DNS:a*.peer.test", false), ("DNS:*.test", false), ("DNS:peer.test", false),
        ("IP:127.0.0.1,DNS:other.test", false), ("DNS:127.0.0.1", false), ("email:a.peer.test@a.peer.test", false),
    ])
    func aStarStandsForOneWholeLabel(_ names: String, _ isAccepted: Bool) async throws {
        let certificate = try Peer.certificate(for: "stranger.test", names: names)
        let peer = try Peer(certificate: certificate)
        let client = try client(allow: "127.0.0.0/8", trust: [certificate.0])
        #expect(await failure(client, "https://a.peer.test:\(peer.port)/") == (isAccepted ? nil : .certificateRefused))
        await client.shutdown()
    }

    @Test func trustFilesMustHoldCertificates() {
        #expect(throws: OutboundError.self) { try OutboundTrust(files: ["/etc/hostname"]) }
        #expect(throws: OutboundError.self) { try OutboundTrust(files: ["/nowhere.pem"]) }
    }

    @Test func headersCarryNoLineBreaks() async throws {
        let peer = try Peer()
        let client = try client(allow: "peer.test")
        let request = OutboundRequest(
            method: "GET", url: "http://peer.test:\(peer.port)/", headers: [(name: "X", value: "a\r\nY: b")])
        await #expect(throws: OutboundError.self) { try await client.send(request) }
        await client.shutdown()
    }

    /// A name server that keeps everybody waiting must not make a time-out longer.
    @Test func aCallEndsInTimeAlthoughTheNameServerIsSilent() async throws {
        let silence = DispatchSemaphore(value: 0)
        let client = try client(
            allow: "slow.test", timeout: .milliseconds(200),
            resolver: SystemResolver { _ in
                silence.wait()
                return .failure(OutboundError(.unreachable, "it was silent"))
            })
        // More than there are threads to ask.
        let calls = (0..<8).map { _ in Task { await failure(client, "http://slow.test/") } }
        for call in calls { #expect(await call.value != nil) }
        // Only now does the name server say anything.
        for _ in calls { silence.signal() }
        await client.shutdown()
    }
}

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
}

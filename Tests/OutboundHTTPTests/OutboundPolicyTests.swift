import TestSupport
import Testing

@testable import OutboundHTTP

@Suite(.timeLimit(.minutes(10))) struct OutboundPolicyTests {
    @Test(arguments: [
        "https://example.com", "HTTPS://Example.COM:8443/a?b=c", "https://93.184.215.14/", "https://a_b.example/",
        "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/x", "https://example.com?x=1",
    ])
    func publicHTTPSIsAllowed(_ url: String) throws {
        try OutboundPolicy.publicOnly.check(url: url)
    }

    @Test(arguments: [
        // Other schemes, and no scheme.
        "file:///etc/passwd", "unix:///run/x.sock", "gopher://example.com/", "ftp://example.com/", "http+unix://x/",
        "//example.com", "example.com", "", "https:/example.com", "https:example.com", "http://example.com/",
        // User names, and what parsers read differently.
        "https://user@example.com/", "https://user:pw@example.com/", "https://example.com\\@127.0.0.1/",
        "https://example.com#@127.0.0.1/", "https://exa mple.com/",
        "https://example.com/\r\nX: y", "https://exämple.com",
        "https://example.com:/", "https://example.com:0/", "https://example.com:65536/", "https://example.com:+80/",
        "https://%31%32%37.0.0.1/", "https:///x", "https://.example.com/", "https://example..com/", "https://-a.com/",
        // Loopback, private, link-local and the rest of the registry.
        "https://127.0.0.1/", "https://127.255.255.254/", "https://0.0.0.0/", "https://10.0.0.1/",
        "https://172.16.0.1/",
        "https://172.31.255.255/", "https://192.168.1.1/", "https://169.254.169.254/latest/meta-data",
        "https://100.64.0.1/", "https://192.0.0.192/", "https://198.18.0.1/", "https://224.0.0.1/",
        "https://255.255.255.255/", "https://240.0.0.1/", "https://192.0.2.1/", "https://203.0.113.9/",
        "https://[::1]/", "https://[::]/", "https://[fe80::1]/", "https://[fe80::1%25eth0]/", "https://[fc00::1]/",
        "https://[fd12:3456::1]/", "https://[ff02::1]/", "https://[fec0::1]/", "https://[2001:db8::1]/",
        // IPv4 dressed as IPv6, and other spellings of 127.0.0.1.
        "https://[::ffff:127.0.0.1]/", "https://[::ffff:93.184.215.14]/", "https://[::127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/", "https://2130706433/", "https://0x7f000001/",
        "https://0x7f.0.0.1/", "https://0177.0.0.1/", "https://127.1/", "https://127.0.1/", "https://127.0.0.1./",
        "https://0/", "https://127.0.0.0x1/", "https://١٢٧.0.0.1/", "https://[127.0.0.1]/", "https://[::1/",
        "https://[::1]x/",
    ])
    func theRestIsRefused(_ url: String) {
        let error = #expect(throws: OutboundError.self) { try OutboundPolicy.publicOnly.check(url: url) }
        #expect(error?.code == .addressRefused)
    }

    @Test func theAllowListOpensWhatItSays() throws {
        let policy = try OutboundPolicy(allowing: "Auth.internal, edv.internal:8443,10.1.0.0/16,[::1]:80,192.168.0.7")
        for url in [
            "http://auth.internal/", "https://auth.internal:9/", "http://edv.internal:8443/", "http://10.1.2.3/",
            "https://10.1.255.255:99/", "http://[::1]/", "http://192.168.0.7:1/",
        ] {
            try policy.check(url: url)
        }
        for url in ["https://10.2.0.1/", "http://[::1]:81/", "https://192.168.0.8/", "http://93.184.215.14/"] {
            #expect(throws: OutboundError.self) { try policy.check(url: url) }
        }
    }

    @Test func aListedNameOpensNoLinkLocalAddress() throws {
        let policy = try OutboundPolicy(allowing: "auth.internal")
        let url = try OutboundURL("http://auth.internal/")
        try policy.check(try #require(NetworkAddress("10.0.0.1")), of: url)
        for text in ["169.254.169.254", "fe80::1", "0.0.0.0", "224.0.0.1", "::ffff:10.0.0.1"] {
            let address = try #require(NetworkAddress(text))
            #expect(throws: OutboundError.self) { try policy.check(address, of: url) }
        }
    }

    @Test func aRangeDoesNotOpenWhatIsNoServer() throws {
        let policy = try OutboundPolicy(allowing: "0.0.0.0/0,::/0")
        try policy.check(url: "http://127.0.0.1/")
        for url in ["http://0.0.0.0/", "http://224.0.0.1/", "http://[::ffff:127.0.0.1]/", "http://[ff02::1]/"] {
            #expect(throws: OutboundError.self) { try policy.check(url: url) }
        }
    }

    @Test(arguments: [
        ",", "a,,b", "10.1.2.3/16", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08", "10.0.0/8", "host:0", "host:x", "::1",
        "http://host/", "*.example.com", "0x7f.1", "a b", "10.0.0.0/8/8",
    ])
    func anUnclearEntryIsRefused(_ list: String) {
        let error = #expect(throws: OutboundError.self) { try OutboundPolicy(allowing: list) }
        #expect(error?.code == .configurationRefused)
    }

    /// Whatever passes is read the same way twice.
    @Test func mutatedURLsAreReadAlikeTwice() throws {
        var mutator = Mutator(seed: 21)
        let seeds = [
            "https://example.com:8443/a?b=c", "https://127.0.0.1/", "https://[2606:2800::1]:443/x",
            "http://10.1.2.3:80/%2e",
        ]
        var accepted = 0
        for round in 0..<40_000 {
            let bytes = mutator.mutate(Array(seeds[round % seeds.count].utf8))
            guard let text = String(validating: bytes, as: UTF8.self), let url = try? OutboundURL(text) else {
                continue
            }
            accepted += 1
            let again = try OutboundURL(url.text)
            #expect(again == url)
        }
        #expect(accepted > 1000)
    }
}

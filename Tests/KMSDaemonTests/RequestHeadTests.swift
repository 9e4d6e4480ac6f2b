import NIOCore
import NIOHTTP1
import Testing

@testable import HTTPAPI
@testable import KMSDaemon

@Suite("Heads of requests", .timeLimit(.minutes(10)))
struct RequestHeadTests {
    private func head(
        _ fields: [(String, String)], version: HTTPVersion = .http1_1, uri: String = "/x", method: HTTPMethod = .GET
    ) -> HTTPRequestHead {
        HTTPRequestHead(version: version, method: method, uri: uri, headers: HTTPHeaders(fields))
    }

    private func status(_ head: HTTPRequestHead) -> Int? {
        var head = head
        do throws(RequestHeadRules.Refusal) {
            _ = try RequestHeadRules.apply(to: &head)
            return nil
        } catch { return error.status }
    }

    @Test func oneHostInHTTP1_1AtMostOneInHTTP1_0AndAValidOne() {
        #expect(status(head([])) == 400)
        #expect(status(head([("Host", "a"), ("host", "a")])) == 400)
        #expect(status(head([], version: .http1_0)) == nil)
        #expect(status(head([("Host", "a"), ("Host", "b")], version: .http1_0)) == 400)
        for good in ["", "a", "A.example:8074", "127.0.0.1", "[::1]:80", "a:", "a_b-c~d.e"] {
            #expect(status(head([("Host", good)])) == nil, "\(good)")
        }
        let wrong = [
            "a b", "a,b", "a/b", "u@a", "a:b", "a:0", "a:65536", "[::1", "[]", "[::1]x", ":80", "é", "a:1:2", "a\u{0}",
        ]
        for bad in wrong {
            #expect(status(head([("Host", bad)])) == 400, "\(bad)")
        }
    }

    @Test func aWholeURLAsTargetCountsAsItsPathAndItsAuthorityInsteadOfHost() throws {
        let targets = [
            ("http://b.example/v1?x", "/v1?x"), ("HTTPS://b.example", "/"), ("http://b.example?x", "/?x"),
        ]
        for (uri, path) in targets {
            var head = head([("Host", "a")], uri: uri)
            _ = try RequestHeadRules.apply(to: &head)
            #expect(head.uri == path)
            #expect(head.headers["host"] == ["b.example"])
        }
        #expect(status(head([("Host", "a")], uri: "http://u@b/x")) == 400)
        #expect(status(head([("Host", "a")], uri: "http:///x")) == 400)
    }

    @Test func chunkedAloneFramesABodyWithoutLengthAndOnlyInHTTP1_1() {
        func of(_ codings: [String], version: HTTPVersion = .http1_1, _ more: [(String, String)] = []) -> Int? {
            status(head([("Host", "a")] + codings.map { ("Transfer-Encoding", $0) } + more, version: version))
        }
        #expect(of(["chunked"]) == nil)
        #expect(of([" Chunked "]) == nil)
        let wrong = [
            ["identity, chunked"], ["identity", "chunked"], ["chunked, chunked"], ["chunked", "chunked"], [""],
        ]
        for codings in wrong {
            #expect(of(codings) == 400, "\(codings)")
        }
        #expect(of(["gzip, chunked"]) == 501)
        #expect(of(["chunked"], version: .http1_0) == 400)
        #expect(of(["chunked"], [("Content-Length", "1")]) == 400)
    }

    @Test func theOneExpectationIs100ContinueHTTP1_0HasNone() throws {
        #expect(status(head([("Host", "a"), ("Expect", "100-Continue")])) == nil)
        #expect(status(head([("Host", "a"), ("Expect", "other")])) == 417)
        #expect(status(head([("Host", "a"), ("Expect", "100-continue"), ("Expect", "other")])) == 417)
        var old = head([("Expect", "other")], version: .http1_0)
        _ = try RequestHeadRules.apply(to: &old)
        #expect(!old.headers.contains(name: "expect"))
    }

    @Test func otherVersionsAreNotSpoken() {
        for (major, minor) in [(0, 9), (1, 2), (2, 0)] {
            #expect(status(head([("Host", "a")], version: HTTPVersion(major: major, minor: minor))) == 505)
        }
    }

    @Test(
        "What Connection means in every spelling",
        arguments: [
            (["close"], .closes, .closes), (["Close"], .closes, .closes), (["keep-alive, CLOSE"], .closes, .closes),
            (["keep-alive", "close"], .closes, .closes), ([" close\t"], .closes, .closes), ([], .stays, .closes),
            (["Keep-Alive"], .stays, .staysAsGranted), (["te", "keep-alive"], .stays, .staysAsGranted),
            (["x-close"], .stays, .closes), (["upgrade"], .stays, .closes),
        ] as [([String], RequestHeadRules.Persistence, RequestHeadRules.Persistence)])
    func whatConnectionMeansInEverySpelling(
        fields: [String], now: RequestHeadRules.Persistence, old: RequestHeadRules.Persistence
    ) throws {
        for (version, expected) in [(HTTPVersion.http1_1, now), (.http1_0, old)] {
            var head = head([("Host", "a")] + fields.map { ("Connection", $0) }, version: version)
            #expect(try RequestHeadRules.apply(to: &head) == expected)
            #expect((head.headers["connection"] == ["close"]) == (expected == .closes))
        }
        var wish = head([("Host", "a"), ("Connection", "Upgrade"), ("Upgrade", "h2c")])
        #expect(try RequestHeadRules.apply(to: &wish) == .closes)
    }

    @Test func thePublicAddressAndTheOneThatWasCalledNeverMixed() {
        let address = PublicAddress(baseURL: "https://KMS.example:443/keys")
        #expect(address.authority == "kms.example")
        #expect(address.prefix == "/keys")
        typealias Target = PublicAddress.Target
        let published = ["kms.example", "KMS.example:443"].map { Target(host: $0, uri: "/keys/v1") }
        #expect(address.url == "https://kms.example/keys")
        #expect(address.targets(host: nil, uri: "/v1", own: []) == published)
        #expect(address.targets(host: "kms.example", uri: "/v1", own: ["kms.example"]) == [published[0]])
        #expect(
            address.targets(host: "KMS.Example", uri: "/v1", own: []) == [Target(host: "KMS.Example", uri: "/keys/v1")])
        #expect(address.targets(host: "other", uri: "/v1", own: ["127.0.0.1"]) == published)
        #expect(
            address.targets(host: "127.0.0.1:8074", uri: "/v1", own: ["127.0.0.1"])
                == [Target(host: "127.0.0.1:8074", uri: "/v1")] + published)
        #expect(
            address.lenientTargets(host: "other", uri: "/v1") == [Target(host: "other", uri: "/v1")] + published)
        let plain = PublicAddress(baseURL: "http://kms.example:8080")
        #expect(plain.authority == "kms.example:8080")
        #expect(plain.prefix == "")
        #expect(
            plain.lenientTargets(host: "kms.example:8080", uri: "/v1")
                == [Target(host: "kms.example:8080", uri: "/v1")])
    }

    @Test func linesThatQuoteOthersChangeNeitherOrderNorPlaceOfWhatIsAroundThem() {
        let shown = TerminalEscaping.shown("a\u{202E}b\u{1B}[2J\u{9B}\\u{1b}\n", keeping: ["\n"])
        #expect(shown == "a\\u{202e}b\\u{1b}[2J\\u{9b}\\u{1b}\n")
        #expect(TerminalEscaping.shown("a\nb é") == "a\\u{a}b é")
        #expect(TerminalEscaping.json("\"a\u{202E}\u{E0001}\u{7F}é\"") == "\"a\\u202e\\udb40\\udc01\\u007fé\"")
        let written = JSONWriter.object { $0.member("a", "x\u{202E}y\u{200F}\u{85}é") }
        #expect(String(buffer: written).contains(#""x\u202ey\u200f\u0085é""#))
    }
}

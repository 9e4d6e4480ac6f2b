import Encodings
import HTTPAPI
import KMSConfiguration
import NIOHTTP1

/// What the head of an HTTP/1 request must be like, and what it says about its connection.
///
/// The parser below is lenient where RFC 9112 is not: it forwards requests with two `Host` fields or none, and takes every
/// list of transfer codings that ends with `chunked`. Two programs could read such a head differently.
///
/// - Source: RFC 9110 sections 7.2, 7.6.1 and 10.1.1; RFC 9112 sections 3.2, 6.1 and 9.3.
struct RequestHeadRules {
    /// What becomes of the connection after the answer.
    enum Persistence: Equatable {
        case stays
        /// An HTTP/1.0 client asked for it, and must be told that it is granted.
        case staysAsGranted
        case closes
    }

    /// Why a head is not served.
    struct Refusal: Error, Equatable {
        var status: Int
        var message: String
    }

    static let unknownVersion = Refusal(status: 505, message: "this server speaks HTTP/1.0 and HTTP/1.1")

    /// Checks a head and puts it into the form that the layers above expect: the target is a path, `Connection` is
    /// `close` exactly where the connection is closed after the answer, and HTTP/1.0 has no `Expect`.
    static func apply(to head: inout HTTPRequestHead) throws(Refusal) -> Persistence {
        guard head.version == .http1_1 || head.version == .http1_0 else { throw unknownVersion }
        if isPlain(head) { return .stays }
        try checkHost(head)
        try makeOriginForm(&head)
        try checkTransferCoding(head)
        try checkExpectation(&head)
        let persistence = persistence(of: head)
        if persistence == .closes { head.headers.replaceOrAdd(name: "connection", value: "close") }
        return persistence
    }

    /// Whether nothing below would change or refuse the head: one valid `Host`, a path, and no field that these rules are about.
    /// Nearly every request is such a one, and this looks at its fields once.
    private static func isPlain(_ head: HTTPRequestHead) -> Bool {
        guard head.version == .http1_1, head.method != .CONNECT, head.uri.utf8.first == UInt8(ascii: "/") else {
            return false
        }
        var hosts = 0
        for (name, value) in head.headers {
            switch name.utf8.count {
            case 4 where isNamed(name, "host"):
                hosts += 1
                guard HostField.isValid(value) else { return false }
            case 6 where isNamed(name, "expect"), 7 where isNamed(name, "upgrade"),
                10 where isNamed(name, "connection"),
                17 where isNamed(name, "transfer-encoding"):
                return false
            default: break
            }
        }
        return hosts == 1
    }

    /// - Parameter lower: In lower case, and as long as the name.
    private static func isNamed(_ name: String, _ lower: StaticString) -> Bool {
        lower.withUTF8Buffer { wanted in
            var index = 0
            for byte in name.utf8 {
                guard wanted[index] == (UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte ? byte | 0x20 : byte) else {
                    return false
                }
                index += 1
            }
            return true
        }
    }

    private static func refused(_ message: String) -> Refusal { Refusal(status: 400, message: message) }

    private static func checkHost(_ head: HTTPRequestHead) throws(Refusal) {
        let hosts = head.headers["host"]
        guard hosts.count <= 1 else { throw refused("the request has more than one Host header") }
        guard let host = hosts.first else {
            guard head.version == .http1_0 else {
                throw refused("the request has no Host header, which HTTP/1.1 needs")
            }
            return
        }
        // Monitors send it empty; a target without an authority is told so (RFC 9112, section 3.2).
        guard host.isEmpty || HostField.isValid(host) else {
            throw refused("the Host header is not a host with or without a port")
        }
    }

    /// A client that takes us for a proxy sends the whole URL; then its authority counts, not `Host`.
    private static func makeOriginForm(_ head: inout HTTPRequestHead) throws(Refusal) {
        guard let first = head.uri.utf8.first, first != UInt8(ascii: "/") else { return }
        let scheme = ["http://", "https://"].first { head.uri.prefix($0.count).asciiLowercased() == $0 }
        guard let scheme else { return }
        let rest = head.uri.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard HostField.isValid(String(authority)) else { throw refused("the request target names no valid host") }
        let path = rest.dropFirst(authority.count)
        head.uri = path.startsExactly(with: "/") ? String(path) : "/" + path
        head.headers.replaceOrAdd(name: "host", value: String(authority))
    }

    private static func checkTransferCoding(_ head: HTTPRequestHead) throws(Refusal) {
        let fields = head.headers["transfer-encoding"]
        guard !fields.isEmpty else { return }
        guard head.version == .http1_1 else { throw refused("HTTP/1.0 has no Transfer-Encoding") }
        guard !head.headers.contains(name: "content-length") else {
            throw refused("the request has both Transfer-Encoding and Content-Length")
        }
        let codings = options(fields)
        // Empty members and empty fields beside it are legal, but programs differ over them.
        if codings == ["chunked"], fields.count == 1, !fields[0].containsExactly(",") { return }
        guard codings.allSatisfy({ $0 == "chunked" || $0 == "identity" }) else {
            throw Refusal(status: 501, message: "the only transfer coding of requests is 'chunked'")
        }
        throw refused("Transfer-Encoding is not 'chunked' alone")
    }

    private static func checkExpectation(_ head: inout HTTPRequestHead) throws(Refusal) {
        let expectations = head.headers["expect"]
        guard !expectations.isEmpty else { return }
        guard head.version == .http1_1 else {
            head.headers.remove(name: "expect")
            return
        }
        guard options(expectations) == ["100-continue"] else {
            throw Refusal(status: 417, message: "the only expectation that is met is '100-continue'")
        }
    }

    private static func persistence(of head: HTTPRequestHead) -> Persistence {
        let options = options(head.headers["connection"])
        if options.containsExactly("close") { return .closes }
        if head.version == .http1_0 { return options.containsExactly("keep-alive") ? .staysAsGranted : .closes }
        // The parser below reads nothing behind a request to change the protocol, which is answered in this one.
        let wantsAnother = options.containsExactly("upgrade") && head.headers.contains(name: "upgrade")
        return wantsAnother || head.method == .CONNECT ? .closes : .stays
    }

    /// The members of a list field, whatever its spelling: repeated, with blanks, in any case.
    private static func options(_ fields: [String]) -> [String] {
        fields.flatMap { $0.asciiLowercased().split { $0 == "," || $0 == " " || $0 == "\t" }.map(String.init) }
    }
}

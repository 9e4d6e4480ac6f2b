import Encodings
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

@testable import HTTPAPI
@testable import KMSConfiguration

extension FuzzTarget {
    /// Whole requests, as text: a line with method and path, lines of headers, an empty line, the body. They go through
    /// the front that serves users: every route, every body, every header.
    static let requests = [
        FuzzTarget("request", longest: 2048) { bytes throws(FuzzFinding) in
            guard let request = request(bytes) else { return }
            let (status, type, body) = waiting {
                let response = await responder.answer(request, ClientConnection())
                var buffer = ByteBuffer()
                try? await response.body.write(Collector { buffer.writeImmutableBuffer($0) })
                return (
                    response.status.code, response.headers[.contentType] ?? "", Array(buffer.readableBytesView)
                )
            }
            // The first generation answers 500 for whatever is wrong with a request; it says what.
            // So does the co-signing role for a key that is not there, which 0Chain's tests expect.
            let front = request.head.path ?? ""
            let isToldSo =
                (front.hasPrefix("/kms/") || front.hasPrefix("/zauth/sign/")) && !text(body).contains("internal error")
            try claim(status != 500 || isToldSo, "a request ends in an internal error: \(text(body))")
            guard type.hasPrefix("application/json"), !body.isEmpty else { return }
            let node = try accepted("the answer \(text(body))") { try JSONNode(reading: body) }
            guard status >= 400 else { return }
            guard case .object = node else { throw FuzzFinding("an error's body is no object: \(text(body))") }
        }
    ]

    private static let responder: RESTResponder = {
        var logger = Logger(label: "fuzz")
        logger.logLevel = .critical
        return RESTResponder(
            service: FrontStub(), baseURL: "https://kms.example", maximumBody: 4096, logger: logger,
            split: SplitStub.authority.map { SplitServices(vault: nil, authority: $0, tokens: SplitStub()) },
            servesLegacyRoutes: true)
    }()

    private static func request(_ bytes: [UInt8]) -> Request? {
        var rest = bytes[...]
        func line() -> String? {
            guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
            defer { rest = rest[(end + 1)...] }
            return String(decoding: rest[..<end], as: UTF8.self)
        }
        guard let first = line()?.split(separator: " ", maxSplits: 1), first.count == 2,
            let method = HTTPRequest.Method(rawValue: String(first[0]))
        else { return nil }
        var headers = HTTPFields()
        while let field = line(), !field.isEmpty {
            let parts = field.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            // What the transport refuses never gets here.
            guard parts.count == 2, let name = HTTPField.Name(String(parts[0])),
                HTTPField.isValidValue(String(parts[1]))
            else { return nil }
            headers.append(HTTPField(name: name, value: String(parts[1])))
        }
        let head = HTTPRequest(
            method: method, scheme: "https", authority: "kms.example", path: String(first[1]), headerFields: headers)
        return Request(head: head, body: RequestBody(buffer: ByteBuffer(bytes: rest)))
    }
}

/// Collects an answer's body.
private struct Collector: ResponseBodyWriter {
    let take: (ByteBuffer) -> Void

    init(_ take: @escaping (ByteBuffer) -> Void) { self.take = take }

    mutating func write(_ buffer: ByteBuffer) async throws { take(buffer) }
    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
}

import Encodings
import Foundation
import GNAP
import Hummingbird
import Keystores
import Testing

@testable import HTTPAPI

@Suite("Answers", .timeLimit(.minutes(10)))
struct AnswerTests {
    @Test(
        "Every code of the domain has a status, both texts, and Retry-After where waiting helps",
        arguments: KMSError.Code.allCases)
    func everyCodeOfTheDomainHasAStatusBothTextsAndRetryAfterWhereWaitingHelps(_ code: KMSError.Code) async throws {
        let statuses: [KMSError.Code: Int] = [
            .invalidArgument: 400, .ciphertextInvalid: 400, .signatureInvalid: 400, .unauthenticated: 401,
            .permissionDenied: 403, .notFound: 404, .alreadyExists: 409, .conflict: 409, .keystoreLocked: 409,
            .keyDisabled: 409,
            .quotaExceeded: 429, .mechanismUnsupported: 501, .tokenUnavailable: 503, .storageUnavailable: 503,
            .overloaded: 503, .deadlineExceeded: 504, .upstreamFailed: 502, .internal: 500,
        ]
        let response = Responses.error(KMSError(code, "text <&>", detail: "for the log"), operation: "sign")
        #expect(response.status.code == statuses[code])
        #expect(response.headers[.contentType] == "application/json")
        #expect(response.headers[.retryAfter] == (statuses[code] == 503 ? "1" : nil))
        let body = try await text(response)
        #expect(
            body == #"{"message":"sign: text \u003c\u0026\u003e","errMessage":"sign: text \u003c\u0026\u003e"}"# + "\n")
    }

    @Test func aFullMemoryOfSignaturesIs503WithRetryAfterAndAReplayIs401() async throws {
        let full = Responses.refusal(GNAPAuthorizer.refusal(for: GNAPError(.exhausted, "too many signatures")))
        #expect(full.status == .serviceUnavailable && full.headers[.retryAfter] == "1")
        #expect(try await text(full) == #"{"message":"too many signatures","errMessage":"too many signatures"}"# + "\n")
        let used = Responses.refusal(GNAPAuthorizer.refusal(for: GNAPError(.signatureRefused, "used before")))
        #expect(used.status == .unauthorized && used.headers[.retryAfter] == nil)
    }

    @Test(arguments: KMSError.Code.allCases)
    func everyCodeHasAStatusOfItsKind(_ code: KMSError.Code) {
        #expect((400...599).contains(code.httpStatus))
        #expect(code.isRetryable == [502, 503, 504].contains(code.httpStatus))
        // Only `internal` may rely on the fallback's value.
        #expect(code.httpStatus != 500 || code == .internal)
    }

    @Test func anErrorNobodyForesawTellsNothing() async throws {
        struct Surprise: Error { let secret = "canary" }
        let response = Responses.error(Surprise(), operation: "sign")
        #expect(response.status == .internalServerError)
        #expect(
            try await text(response) == #"{"message":"sign: internal error","errMessage":"sign: internal error"}"#
                + "\n")
    }

    @Test func textInAnswersIsEscapedSoThatAnyJSONReaderGivesItBack() throws {
        let awkward = "\"\\/\u{0}\u{1f}\n\r\t\u{7f}é漢😀\u{2028}\u{2029}<script>&"
        let buffer = JSONWriter.object { $0.member("text", awkward) }
        let parsed = try JSONSerialization.jsonObject(with: Data(buffer.readableBytesView)) as? [String: String]
        #expect(parsed == ["text": awkward])
        let raw = String(buffer: buffer)
        #expect(!raw.contains("<") && !raw.contains("\u{2028}") && raw.hasSuffix("}\n"))
    }

    @Test func timesAreRFC3339AndIMFFixdate() {
        for (seconds, rfc3339, http) in [
            (0, "1970-01-01T00:00:00Z", "Thu, 01 Jan 1970 00:00:00 GMT"),
            (951_782_400, "2000-02-29T00:00:00Z", "Tue, 29 Feb 2000 00:00:00 GMT"),
            (1_709_251_199, "2024-02-29T23:59:59Z", "Thu, 29 Feb 2024 23:59:59 GMT"),
            (4_107_542_400, "2100-03-01T00:00:00Z", "Mon, 01 Mar 2100 00:00:00 GMT"),
            (-1, "1969-12-31T23:59:59Z", "Wed, 31 Dec 1969 23:59:59 GMT"),
        ] {
            let time = Timestamp(seconds: seconds, nanoseconds: 123_456_789)
            #expect(time.rfc3339(digits: 0) == rfc3339)
            #expect(time.rfc3339(digits: 9) == rfc3339.dropLast() + ".123456789Z")
            #expect(time.http == http)
        }
        let formatter = ISO8601DateFormatter()
        for _ in 0..<1000 {
            let seconds = Int.random(in: -5_000_000_000...10_000_000_000)
            let expected = formatter.string(from: Date(timeIntervalSince1970: Double(seconds)))
            #expect(Timestamp(seconds: seconds, nanoseconds: 0).rfc3339(digits: 0) == expected)
        }
    }

    @Test func aRequestIdIsTakenOverOnlyIfItIsHarmless() {
        for (given, isTaken) in [
            ("abc-123_X.9", true), (String(repeating: "a", count: 64), true),
            (String(repeating: "a", count: 65), false),
            ("", false), ("a b", false), ("a\u{1b}[31m", false), ("a\"b", false), ("é", false),
        ] {
            var headers = HTTPFields()
            headers[.xRequestID] = given
            #expect((RequestID(headers).description == given) == isTaken, "\(given)")
        }
        #expect(RequestID([:]).description != RequestID([:]).description)
        // Ours is another one each time, whatever the caller says.
        #expect(RequestID([.xRequestID: "a"]).own != RequestID([.xRequestID: "a"]).own)
        #expect(RequestID([.xRequestID: "a"]).given == "a" && RequestID([.xRequestID: "a b"]).given == nil)
    }

    private func text(_ response: Response) async throws -> String {
        let writer = CollectingWriter()
        try await response.body.write(writer)
        return await writer.text
    }
}

/// Keeps what a body writes.
private final class CollectingWriter: ResponseBodyWriter {
    private actor Storage {
        var bytes = ByteBuffer()
        func append(_ buffer: ByteBuffer) { bytes.writeImmutableBuffer(buffer) }
    }
    private let storage = Storage()

    var text: String { get async { String(buffer: await storage.bytes) } }

    func write(_ buffer: ByteBuffer) async throws { await storage.append(buffer) }
    func finish(_ trailingHeaders: HTTPFields?) async throws {}
}

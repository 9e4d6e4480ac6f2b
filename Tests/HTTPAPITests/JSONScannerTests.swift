import Encodings
import Foundation
import SecretMemory
import TestSupport
import Testing

@testable import HTTPAPI

@Suite("JSON scanner", .timeLimit(.minutes(10)))
struct JSONScannerTests {
    private static let names: [StaticString] = ["message", "nonce"]

    @Test func membersAreFoundInAnyOrderExactlyOrInAnotherCaseEscapedOrNot() throws {
        for text in [
            #"{"message":"bQ==","nonce":"bg=="}"#,
            #" { "x" : [1,{"message":"no"}] , "nonce" : "bg==" , "message":"bQ==" } "#,
            #"{"MESSAGE":"bQ==","Nonce":"bg=="}"#, #"{"mess\u0061ge":"bQ==","nonce":"b\u0067=="}"#,
        ] {
            try members(text) { (members: JSONMembers) throws in
                #expect(try members.bytes(0) == Array("m".utf8))
                #expect(try members.bytes(1) == Array("n".utf8))
            }
        }
    }

    @Test func nullIsAbsenceAnEmptyTextIsNot() throws {
        try members(#"{"message":null,"nonce":""}"#) { (members: JSONMembers) throws in
            #expect(try members.optionalBytes(0) == nil)
            #expect(try members.bytes(1).isEmpty)
            #expect(throws: JSONError("'message' is missing")) { try members.bytes(0) }
            #expect(try members.nullableBytes(0).isEmpty && members.nullableBytes(1).isEmpty)
        }
        try members("{}") { (members: JSONMembers) throws in
            #expect(throws: JSONError("'message' is missing")) { try members.nullableBytes(0) }
        }
    }

    @Test(
        "A second member of one name is refused, whatever its spelling",
        arguments: [
            #"{"message":"a","message":"b"}"#, #"{"message":"a","Message":"b"}"#,
            #"{"message":null,"mess\u0061ge":"b"}"#,
        ])
    func aSecondMemberOfOneNameIsRefusedWhateverItsSpelling(_ text: String) {
        #expect(throws: JSONError("'message' is given twice")) { try members(text) { _ in } }
    }

    @Test func errorsNameTheMember() throws {
        try members(#"{"message":7,"nonce":"*"}"#) { (members: JSONMembers) throws in
            #expect(throws: JSONError("'message' is not a string")) { try members.bytes(0) }
            #expect(throws: JSONError("'nonce' is not base64")) { try members.bytes(1) }
        }
    }

    @Test func nestingIsBounded() throws {
        let inside = JSONScanner.maximumDepth - 1
        try members("{\"x\":" + String(repeating: "[", count: inside) + String(repeating: "]", count: inside) + "}") {
            _ in
        }
        for count in [inside + 1, 100_000] {
            let text = "{\"x\":" + String(repeating: "[", count: count) + String(repeating: "]", count: count) + "}"
            #expect(throws: JSONError("the body is nested deeper than 32 levels")) { try members(text) { _ in } }
        }
        #expect(throws: JSONError("the body is not a JSON object")) { try members("[]") { _ in } }
    }

    @Test func aSecretTextWithEscapesIsUnescapedWhereItStands() throws {
        var body = Array(#"{"message":"aGVs\u0062G8\u003d","nonce":"aGVs\/w=="}"#.utf8)
        try body.withUnsafeMutableBytes { body in
            let members = try JSONMembers(UnsafeRawBufferPointer(body), Self.names)
            #expect(try members.optionalText(1) == "aGVs/w==")
            let secret = try members.secret(0, unescapingIn: body)
            #expect(secret.withUnsafeBytes { Array($0) } == Array("hello".utf8))
        }
    }

    @Test func tenThousandRandomObjectsMeanWhatFoundationSaysTheyMean() throws {
        var random = RandomJSON()
        for _ in 0..<10_000 {
            let text = random.object(named: ["message", "nonce", "other"])
            let expected = try #require(try JSONSerialization.jsonObject(with: Data(text)) as? [String: Any])
            try text.withUnsafeBytes { bytes in
                let members = try JSONMembers(bytes, Self.names)
                for (index, name) in ["message", "nonce"].enumerated() {
                    switch expected[name] {
                    case let text as String: #expect(try members.optionalText(index) == text)
                    case nil, is NSNull: #expect(!members.isPresent(index))
                    default: #expect(members.isPresent(index))
                    }
                }
            }
        }
    }

    @Test func aHundredThousandDamagedTextsNeverCrashAndNoneIsAcceptedThatFoundationRefuses() throws {
        var random = RandomJSON()
        var accepted = 0
        for _ in 0..<10_000 {
            let whole = random.object(named: ["message", "nonce", "other"])
            for _ in 0..<10 {
                let text = random.damage(whole)
                let isAccepted = text.withUnsafeBytes { bytes in (try? JSONMembers(bytes, Self.names)) != nil }
                guard isAccepted else { continue }
                accepted += 1
                #expect(Self.foundationAccepts(text), "accepted: \(String(decoding: text, as: UTF8.self))")
            }
        }
        #expect(accepted > 1000)
    }

    /// Foundation also refuses numbers that no Double holds; the grammar allows them, and no route reads a number.
    private static func foundationAccepts(_ text: [UInt8]) -> Bool {
        do {
            _ = try JSONSerialization.jsonObject(with: Data(text))
            return true
        } catch {
            return "\(error)".contains("umber")
        }
    }

    private func members(_ text: String, _ body: (JSONMembers) throws -> Void) throws {
        try Array(text.utf8).withUnsafeBytes { bytes in try body(try JSONMembers(bytes, Self.names)) }
    }
}

/// Random JSON, valid and damaged.
private struct RandomJSON {
    private var generator = Mutator(seed: 86)

    mutating func object(named names: [String]) -> [UInt8] {
        var text = space() + "{"
        var isFirst = true
        for name in names.shuffled(using: &generator) where Bool.random(using: &generator) {
            if !isFirst { text += "," }
            isFirst = false
            text += space() + "\"\(name)\"" + space() + ":" + space() + value(depth: 0) + space()
        }
        return Array((text + "}" + space()).utf8)
    }

    mutating func damage(_ text: [UInt8]) -> [UInt8] {
        var text = text
        for _ in 0..<Int.random(in: 1...3, using: &generator) where !text.isEmpty {
            let index = Int.random(in: 0..<text.count, using: &generator)
            switch Int.random(in: 0..<5, using: &generator) {
            case 0: text[index] = UInt8.random(in: .min ... .max, using: &generator)
            case 1: text.remove(at: index)
            case 2:
                text.insert(Array("{}[]\",:\\u0019eE+-. \n\u{0}".utf8).randomElement(using: &generator) ?? 0, at: index)
            case 3: text.removeLast(text.count - index)
            default: text.insert(contentsOf: text[index..<min(text.count, index + 4)], at: index)
            }
        }
        return text
    }

    private mutating func value(depth: Int) -> String {
        switch Int.random(in: 0..<(depth > 3 ? 5 : 7), using: &generator) {
        case 0: return "null"
        case 1: return Bool.random(using: &generator) ? "true" : "false"
        case 2:
            return ["0", "-0", "1", "-17", "3.25", "1e3", "2E-2", "-0.5e+1", "9007199254740993"].randomElement(
                using: &generator) ?? "0"
        case 3, 4: return string()
        case 5:
            let items = (0..<Int.random(in: 0..<4, using: &generator)).map { _ in value(depth: depth + 1) }
            return "[" + space() + items.joined(separator: space() + "," + space()) + "]"
        default:
            let items = (0..<Int.random(in: 0..<3, using: &generator)).map { index in
                "\"k\(index)\":" + value(depth: depth + 1)
            }
            return "{" + items.joined(separator: ",") + space() + "}"
        }
    }

    private mutating func string() -> String {
        let pieces = [
            "a", "aGVsbG8=", "\\n", "\\\"", "\\\\", "\\/", "\\u0041", "\\ud83d\\ude00", "\\u00e9", "é", "漢", "😀", " ",
            "\u{7f}",
            "0123456789abcdef", "\\b\\f\\r\\t",
        ]
        let count = Int.random(in: 0..<6, using: &generator)
        return "\"" + (0..<count).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined() + "\""
    }

    private mutating func space() -> String {
        ["", "", "", " ", "\n", "\t\r\n"].randomElement(using: &generator) ?? ""
    }
}

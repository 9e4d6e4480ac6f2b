import Encodings
import Foundation
import SecretMemory
import TestSupport
import Testing

@Suite("Base64", .timeLimit(.minutes(10)))
struct Base64Tests {
    @Test func encodingAndDecodingAgreeWithFoundationForEveryLengthUpTo600() {
        var generator = Mutator(seed: 87)
        for count in 0...600 {
            let bytes = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
            let expected = Data(bytes).base64EncodedString()
            let urlPadded = expected.replacing("+", with: "-").replacing("/", with: "_")
            let url = urlPadded.replacing("=", with: "")
            #expect(Base64.encode(bytes) == expected)
            #expect(Base64.encode(bytes, .urlPadded) == urlPadded)
            #expect(Base64.encode(bytes, .url) == url)
            for (text, form) in [(expected, .standard), (urlPadded, .urlPadded), (url, .url)] as [(String, Base64.Form)]
            {
                #expect(Base64.decode(text, form) == bytes)
                #expect(Base64.decode(text, .either) == bytes)
            }
            #expect(Base64.decode(expected.replacing("=", with: ""), .either) == bytes)
        }
    }

    @Test(
        "Line breaks anywhere are skipped where the form says so, and refused elsewhere",
        arguments: ["aGVs\r\nbG8=", "\naGVsbG8=\r\n", "a\nG\nV\ns\nb\nG\n8\n=", "aGVsbG8\n="])
    func lineBreaksAnywhereAreSkippedWhereTheFormSaysSoAndRefusedElsewhere(_ text: String) {
        #expect(Base64.decode(text, .eitherLines) == Array("hello".utf8))
        #expect(Base64.decode(text, .urlPaddedLines) == Array("hello".utf8))
        for form in [Base64.Form.standard, .url, .urlPadded, .either] { #expect(Base64.decode(text, form) == nil) }
    }

    @Test(
        "Everything else is refused by the most tolerant form",
        arguments: [
            "*", "a", "=", "==", "aGVsbG8==", "aGVsbG8=====", "aGVs bG8=", "aGVsbG8=a", "aGVs=bG8", "aGVsbG9",
            "aGVsbG8\u{e9}", "aA=", "aB==", "\u{0}aGVs", "aGVsbG8=\u{0}", "aGVsb",
        ])
    func everythingElseIsRefusedByTheMostTolerantForm(_ text: String) {
        #expect(Base64.decode(text, .eitherLines) == nil)
    }

    @Test(
        "The standard form has one spelling for each byte string",
        arguments: [
            "A", "AA", "AAA", "A===", "AA=A", "AB==", "AAB=", "AA==AAAA", "AA-_", "====", "AA\n=", "AA=", "AAA==",
        ])
    func theStandardFormHasOneSpellingForEachByteString(_ text: String) throws {
        #expect(Base64.decode(text) == nil)
        #expect(try key(Array(text.utf8), .standard) == nil)
    }

    @Test func theFormsRefuseEachOthersAlphabetAndPadding() {
        #expect(Base64.decode("-_-_") == nil && Base64.decode("-_-_", .url) == [0xFB, 0xFF, 0xBF])
        #expect(Base64.decode("+/+/", .url) == nil && Base64.decode("+/+/", .urlPadded) == nil)
        #expect(Base64.decode("AA", .url) == [0] && Base64.decode("AA==", .url) == nil)
        #expect(Base64.decode("AA", .urlPadded) == nil && Base64.decode("AA==", .urlPadded) == [0])
    }

    @Test func aHundredThousandRandomTextsAreRefusedOrDecodeToWhatEncodesToTheSameText() throws {
        var generator = Mutator(seed: 87)
        let alphabet = Array("ABCabc019+/-_=\r\n *\u{7f}".utf8)
        for _ in 0..<100_000 {
            let count = Int.random(in: 0...12, using: &generator)
            let text = (0..<count).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] }
            if let decoded = Base64.decode(text, .eitherLines) {
                let canonical = String(decoding: text, as: UTF8.self)
                    .replacing("-", with: "+").replacing("_", with: "/").filter { !$0.isNewline && $0 != "=" }
                #expect(Base64.encode(decoded).filter { $0 != "=" } == canonical)
            }
            for form in [Base64.Form.standard, .url, .urlPadded] {
                let decoded = Base64.decode(text, form)
                if let decoded { #expect(Array(Base64.encode(decoded, form).utf8) == text) }
                #expect(try key(text, form) == decoded, "comparisons and the table differ on \(text)")
            }
        }
    }

    @Test func aSecretDecodesIntoLockedMemoryWithItsExactLength() throws {
        let text = Array("aGVsbG8=".utf8)
        let secret = try #require(try text.withUnsafeBytes { try Base64.decodeSecret($0, .standard) })
        #expect(secret.withUnsafeBytes { Array($0) } == Array("hello".utf8))
        #expect(try Array("*".utf8).withUnsafeBytes { try Base64.decodeSecret($0, .standard) } == nil)
    }

    private func key(_ text: [UInt8], _ form: Base64.Form) throws -> [UInt8]? {
        try text.withUnsafeBytes { text in
            let decoded: SecretBytes? = try Base64.decodeKey(text, form)
            guard let decoded else { return nil }
            return decoded.withUnsafeBytes { Array($0) }
        }
    }
}

import Foundation
import SecretMemory
import TestSupport
import Testing

@testable import KMSServer

@Suite("Base64")
struct Base64Tests {
    @Test("Encoding and decoding agree with Foundation for every length up to 600")
    func agreesWithFoundation() {
        var generator = Mutator(seed: 87)
        for count in 0...600 {
            let bytes = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
            let expected = Data(bytes).base64EncodedString()
            #expect(encode(bytes) == expected)
            #expect(decode(expected) == bytes)
            let urlSafe = expected.replacing("+", with: "-").replacing("/", with: "_")
            #expect(decode(urlSafe) == bytes)
            #expect(decode(urlSafe.replacing("=", with: "")) == bytes)
        }
    }

    @Test(
        "Line breaks anywhere are skipped",
        arguments: ["aGVs\r\nbG8=", "\naGVsbG8=\r\n", "a\nG\nV\ns\nb\nG\n8\n=", "aGVsbG8\n="])
    func lineBreaks(_ text: String) { #expect(decode(text) == Array("hello".utf8)) }

    @Test(
        "Everything else is refused",
        arguments: [
            "*", "a", "=", "==", "aGVsbG8==", "aGVsbG8=====", "aGVs bG8=", "aGVsbG8=a", "aGVs=bG8", "aGVsbG9",
            "aGVsbG8\u{e9}",
            "aA=", "aB==", "\u{0}aGVs", "aGVsbG8=\u{0}", "aGVsb",
        ])
    func refused(_ text: String) { #expect(decode(text) == nil) }

    @Test("A hundred thousand random texts are refused or decode to what encodes to the same bytes")
    func randomTexts() {
        var generator = Mutator(seed: 87)
        let alphabet = Array("ABCabc019+/-_=\r\n *\u{7f}".utf8)
        for _ in 0..<100_000 {
            let count = Int.random(in: 0...12, using: &generator)
            let text = (0..<count).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] }
            guard let decoded = text.withUnsafeBytes({ Base64.decode($0) }) else { continue }
            let canonical = String(decoding: text, as: UTF8.self)
                .replacing("-", with: "+").replacing("_", with: "/").filter {
                    !"\r\n=".utf8.contains($0.utf8.first ?? 0)
                }
            #expect(encode(decoded).filter { $0 != "=" } == canonical)
        }
    }

    @Test("A secret decodes into locked memory with its exact length")
    func secret() throws {
        let text = Array("aGVsbG8=".utf8)
        let secret = try #require(try text.withUnsafeBytes { try Base64.decodeSecret($0) })
        #expect(secret.withUnsafeBytes { Array($0) } == Array("hello".utf8))
        #expect(try Array("*".utf8).withUnsafeBytes { try Base64.decodeSecret($0) } == nil)
    }

    private func encode(_ bytes: [UInt8]) -> String {
        var output = [UInt8](repeating: 0, count: Base64.encodedCount(bytes.count))
        bytes.withUnsafeBytes { input in output.withUnsafeMutableBytes { Base64.encode(input, into: $0) } }
        return String(decoding: output, as: UTF8.self)
    }

    private func decode(_ text: String) -> [UInt8]? { Array(text.utf8).withUnsafeBytes { Base64.decode($0) } }
}

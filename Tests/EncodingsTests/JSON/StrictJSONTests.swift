import Encodings
import Foundation
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10))) struct StrictJSONTests {
    private func read(_ text: String) throws(StrictJSONError) -> JSONNode { try JSONNode(reading: Array(text.utf8)) }

    @Test func valuesArriveAsTheyWereWritten() throws {
        let node = try read(#" {"a":"x\u00e9\ud83d\ude00\n","n":-12,"f":1.5e3,"l":[true,false,null,{}],"z":null} "#)
        #expect(node["a"]?.text == "xé😀\n")
        #expect(node["n"]?.wholeNumber == -12)
        #expect(node["f"]?.wholeNumber == nil)
        #expect(node["l"]?.elements?.first?.flag == true)
        #expect(node["z"] == nil)
        #expect(node["absent"] == nil)
    }

    @Test(arguments: [
        "", " ", "{", "}", "{}x", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "[1,]", "[1 2]", "{a:1}", "01", "+1", "1.", ".5",
        "1e", "nul", "True", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\n\"",
        "'a'", "NaN", "{\"a\":1}{\"b\":2}", "\u{feff}{}",
    ])
    func whatIsNoJSONIsRefused(_ text: String) {
        #expect(throws: StrictJSONError.self) { try read(text) }
    }

    @Test func aMemberGivenTwiceIsRefused() {
        #expect(throws: StrictJSONError.memberTwice(nil)) { try read(#"{"a":1,"b":{"c":1},"a":2}"#) }
        #expect(throws: StrictJSONError.memberTwice(nil)) { try read(#"{"a":1,"\u0061":2}"#) }
        #expect(throws: StrictJSONError.memberTwice(nil)) { try read(#"{"x":{"a":null,"a":2}}"#) }
    }

    @Test func depthAndCountAreBounded() throws {
        let deepest = JSONNode.maximumDepth
        _ = try read(String(repeating: "[", count: deepest) + String(repeating: "]", count: deepest))
        for depth in [deepest + 1, 1_000, 100_000] {
            #expect(throws: StrictJSONError.self) { try read(String(repeating: "[", count: depth)) }
            #expect(throws: StrictJSONError.self) { try read(String(repeating: #"{"a":"#, count: depth)) }
        }
        #expect(throws: StrictJSONError.tooManyValues(limit: JSONNode.maximumValues)) {
            try read("[" + String(repeating: "1,", count: JSONNode.maximumValues) + "1]")
        }
    }

    @Test func invalidUTF8IsRefused() {
        for bytes: [UInt8] in [[0x22, 0xff, 0x22], [0x22, 0xc0, 0x80, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22]] {
            #expect(throws: StrictJSONError.self) { try JSONNode(reading: bytes) }
        }
    }

    /// What this reader accepts, the platform's accepts too.
    @Test func mutatedTextsAreNeverMisread() {
        let seed = Array(#"{"keys":[{"kty":"EC","n":1.5e-3,"u":"\u00e9\ud83d\ude00"},null,true,[0,-7]],"a":""}"#.utf8)
        var mutator = Mutator(seed: 19)
        for _ in 0..<50_000 {
            let bytes = mutator.mutate(seed)
            guard (try? JSONNode(reading: bytes)) != nil else { continue }
            #expect(throws: Never.self) {
                try JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
            }
        }
    }
}

import Encodings
import Testing

@Suite("Hexadecimal", .timeLimit(.minutes(10)))
struct HexadecimalTests {
    @Test func everyByteIsWrittenInLowerCaseAndReadBack() {
        let bytes = Array(UInt8.min...UInt8.max)
        let text = Hexadecimal.encode(bytes)
        #expect(text.hasPrefix("000102") && text.hasSuffix("fdfeff") && text == text.lowercased())
        #expect(Hexadecimal.decode(text) == bytes)
        #expect(Hexadecimal.decode(text.uppercased(), .either) == bytes)
        #expect(Hexadecimal.decode(text.uppercased()) == nil)
    }

    @Test(arguments: ["0", "0g", "０0", " 00", "0x00", "é0", "00 ", "@0", "`0", "/0", ":0"])
    func anythingElseIsRefused(_ text: String) {
        #expect(Hexadecimal.decode(text) == nil)
        #expect(Hexadecimal.decode(text, .either) == nil)
    }
}

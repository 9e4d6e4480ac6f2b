import Testing
import TextEncodings

@Suite("Hexadecimal")
struct HexadecimalTests {
    @Test("Every byte is written in lower case and read back")
    func roundTrip() {
        let bytes = Array(UInt8.min...UInt8.max)
        let text = Hexadecimal.encode(bytes)
        #expect(text.hasPrefix("000102") && text.hasSuffix("fdfeff") && text == text.lowercased())
        #expect(Hexadecimal.decode(text) == bytes)
        #expect(Hexadecimal.decode(text.uppercased(), .either) == bytes)
        #expect(Hexadecimal.decode(text.uppercased()) == nil)
    }

    @Test("Anything else is refused", arguments: ["0", "0g", "０0", " 00", "0x00", "é0", "00 ", "@0", "`0", "/0", ":0"])
    func refused(_ text: String) {
        #expect(Hexadecimal.decode(text) == nil)
        #expect(Hexadecimal.decode(text, .either) == nil)
    }
}

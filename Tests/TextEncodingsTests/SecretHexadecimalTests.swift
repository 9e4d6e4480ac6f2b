import Testing
import TextEncodings

@Suite("Hexadecimal of secrets")
struct SecretHexadecimalTests {
    @Test("Every byte has the digits that public values have")
    func digits() {
        for byte in UInt8.min...UInt8.max {
            let (high, low) = SecretHexadecimal.digits(byte)
            #expect(String(decoding: [high, low], as: UTF8.self) == Hexadecimal.encode([byte]))
        }
    }

    @Test("Every character has the value that it has for public values, or 255")
    func values() {
        for character in UInt8.min...UInt8.max {
            #expect(SecretHexadecimal.value(character) == Hexadecimal.value(character, .either) ?? 255)
        }
    }
}

import Encodings
import Testing

@Suite("Hexadecimal of secrets", .timeLimit(.minutes(10)))
struct SecretHexadecimalTests {
    @Test func everyByteHasTheDigitsThatPublicValuesHave() {
        for byte in UInt8.min...UInt8.max {
            let (high, low) = SecretHexadecimal.digits(byte)
            #expect(String(decoding: [high, low], as: UTF8.self) == Hexadecimal.encode([byte]))
        }
    }

    @Test func everyCharacterHasTheValueThatItHasForPublicValuesOr255() {
        for character in UInt8.min...UInt8.max {
            #expect(SecretHexadecimal.value(character) == Hexadecimal.value(character, .either) ?? 255)
        }
    }
}

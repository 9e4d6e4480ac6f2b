import Testing
import Token

/// Mutated and spliced URIs. The seeds and the generator are fixed, so a failure is found again by running the test.
@Suite(.timeLimit(.minutes(10))) struct TokenURIFuzzTests {
    private static let seeds = [
        "pkcs11:token=ab%20c;serial=0a;id=%01%02?module-path=/x.so&pin-source=file:/run/pin",
        "pkcs11:token=The%20Token;manufacturer=SoftHSM%20project;model=SoftHSM%20v2;object=k%2Fd;type=secret-key",
        "PKCS11:serial=00ff?pin-source=credential:kmsd-pin&module-path=/usr/lib/softhsm/libsofthsm2.so",
        "pkcs11:token=%C3%A4%E2%82%AC;slot-id=3?pin-value=1234&module-name=softhsm2", "pkcs11:",
    ].map { Array($0.utf8) }

    private static let pieces = [
        "%", "%0", "%00", "%ff", ";", "?", "&", "=", "token=", "id=", "pin-value=", "module-path=/", "pin-source=/",
        "\u{301}", "\u{212A}", "\0", "\r\n", "pkcs11:",
    ].map { Array($0.utf8) }

    /// SplitMix64 (Steele, Lea and Flood, 2014).
    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    private static func mutate(_ generator: inout Generator) -> [UInt8] {
        var bytes = seeds[Int.random(in: 0..<seeds.count, using: &generator)]
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            let place = Int.random(in: 0...bytes.count, using: &generator)
            switch Int.random(in: 0...5, using: &generator) {
            case 0 where place < bytes.count: bytes[place] = .random(in: 0...255, using: &generator)
            case 1 where place < bytes.count: bytes.remove(at: place)
            case 2: bytes.insert(.random(in: 0x20...0x7E, using: &generator), at: place)
            case 3: bytes.insert(contentsOf: pieces[Int.random(in: 0..<pieces.count, using: &generator)], at: place)
            case 4:
                let other = seeds[Int.random(in: 0..<seeds.count, using: &generator)]
                bytes = bytes.prefix(place) + other.suffix(Int.random(in: 0...other.count, using: &generator))
            default: bytes.removeSubrange(place..<min(bytes.count, place + 8))
            }
        }
        return bytes
    }

    /// No input crashes the parser; what it accepts prints to a text that reads back as equal and prints the same; no
    /// message repeats a PIN.
    @Test(arguments: 1...4)
    func mutatedInputIsParsedStrictlyOrRefused(seed: UInt64) {
        var generator = Generator(state: seed)
        var accepted = 0
        var refused = 0
        for _ in 0..<25_000 {
            let text = String(decoding: Self.mutate(&generator), as: UTF8.self)
            do throws(HSMError) {
                let uri = try TokenURI(parsing: text)
                accepted += 1
                let printed = uri.description
                let again = try TokenURI(parsing: printed)
                if again != uri || again.description != printed {
                    Issue.record("'\(text)' does not survive printing: '\(printed)'")
                }
                if text.utf8.contains(0) || !text.utf8.allSatisfy({ $0 < 0x80 }) {
                    Issue.record("a character that must be encoded was accepted: '\(text)'")
                }
            } catch {
                refused += 1
                if ![.configurationRefused, .pinSourceRefused].contains(error.code) || error.message.contains("1234") {
                    Issue.record("'\(text)' is refused badly: \(error)")
                }
            }
        }
        #expect(accepted > 1_000)
        #expect(refused > 1_000)
    }
}

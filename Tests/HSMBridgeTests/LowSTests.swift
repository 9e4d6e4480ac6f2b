import Encodings
import Testing
import Token

@testable import HSMBridge

@Suite(.timeLimit(.minutes(10))) struct LowSTests {
    private static let r = [UInt8](repeating: 7, count: 32)
    private static let order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
    private static let half = "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0"

    /// Of s and n − s the lower one is kept, and r as it is.
    @Test(arguments: [
        ("01", "01"), (half, half),
        ("7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a1", half),
        ("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140", "01"),
        ("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0360000", "4141"),
        ("fffffffffffffffffffffffffffffffe00000000000000000000000000000000", "baaedce6af48a03bbfd25e8cd0364141"),
    ])
    func theLowerOneIsKept(s: String, expected: String) throws {
        func padded(_ text: String) throws -> [UInt8] {
            try #require(Hexadecimal.decode(String(repeating: "0", count: 64 - text.count) + text))
        }
        #expect(LowS.secp256k1(Self.r + (try padded(s))) == Self.r + (try padded(expected)))
    }
}

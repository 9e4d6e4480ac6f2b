import LibCrypto
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10))) struct LowSTests {
    private static let order = hex("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")
    private static let half = hex("7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0")

    /// n − s, big-endian.
    private func other(_ s: some Collection<UInt8>) -> [UInt8] {
        var borrow = 0
        return zip(Self.order, s).reversed().map { whole, part in
            let digit = Int(whole) - Int(part) - borrow
            borrow = digit < 0 ? 1 : 0
            return UInt8(truncatingIfNeeded: digit)
        }.reversed()
    }

    @Test func everySecp256k1SignatureHasALowS() throws {
        let key = try SigningKey.generate(.secp256k1)
        for index in 0..<128 {
            let message: [UInt8] = [UInt8(index)]
            let fixed = try key.sign(message, encoding: .p1363)
            #expect(!Self.half.lexicographicallyPrecedes(fixed.suffix(32)))
            let der = try key.sign(message, encoding: .der)
            let numbers = try #require(ECDSASignature.p1363(fromDER: der, curve: .secp256k1))
            #expect(!Self.half.lexicographicallyPrecedes(numbers.suffix(32)))
            #expect(try key.verify(fixed, message: message, encoding: .p1363))
            #expect(try key.verify(der, message: message, encoding: .der))
        }
    }

    @Test func aHighSVerifiesToo() throws {
        let key = try SigningKey.generate(.secp256k1)
        let signature = try key.sign([1], encoding: .p1363)
        let high = Array(signature.prefix(32)) + other(signature.suffix(32))
        #expect(try key.verify(high, message: [1], encoding: .p1363))
        let der = try #require(ECDSASignature.der(fromP1363: high, curve: .secp256k1))
        #expect(try key.verify(der, message: [1], encoding: .der))
        #expect(ECDSASignature.lowS(high, curve: .secp256k1) == signature)
        #expect(ECDSASignature.lowS(signature, curve: .secp256k1) == signature)
    }

    @Test func theLowerOfTheTwoIsKept() {
        let r = [UInt8](repeating: 9, count: 32)
        func number(_ last: UInt8) -> [UInt8] { [UInt8](repeating: 0, count: 31) + [last] }
        var above = Self.half
        above[31] += 1
        var most = Self.order
        most[31] -= 1
        for (s, expected) in [(Self.half, Self.half), (above, Self.half), (number(1), number(1)), (most, number(1))] {
            #expect(ECDSASignature.lowS(r + s, curve: .secp256k1) == r + expected)
        }
        // What is no signature is left for verification to refuse.
        for s in [Self.order, number(0), [UInt8](repeating: 0xFF, count: 32)] {
            #expect(ECDSASignature.lowS(r + s, curve: .secp256k1) == r + s)
        }
        #expect(ECDSASignature.lowS([1], curve: .secp256k1) == [1])
        #expect(ECDSASignature.lowS(r + most, curve: .p256) == r + most)
    }
}

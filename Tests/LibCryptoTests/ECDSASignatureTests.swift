import LibCrypto
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10))) struct ECDSASignatureTests {
    /// A valid signature and its numbers, with r and s below 2^255 so that no sign byte is needed.
    private struct Sample {
        let key: SigningKey
        let message: [UInt8] = [UInt8]("message".utf8)
        let r, s: [UInt8]

        init() throws {
            key = try SigningKey.generate(.p256)
            while true {
                let signature = try key.sign(message, encoding: .p1363)
                let (r, s) = (Array(signature[..<32]), Array(signature[32...]))
                if (1..<0x80).contains(r[0]), (1..<0x80).contains(s[0]) {
                    (self.r, self.s) = (r, s)
                    return
                }
            }
        }
    }

    @Test func malformedEncodingsOfAValidSignatureAreRefused() throws {
        let sample = try Sample()
        let (r, s) = (sample.r, sample.s)
        let integers = [0x02, 32] + r + [0x02, 32] + s
        let valid: [UInt8] = [0x30, 68] + integers
        #expect(try sample.key.verify(valid, message: sample.message, encoding: .der))

        let order = hex("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551")
        func plus(_ number: [UInt8], _ addend: [UInt8]) -> [UInt8] {
            var carry = 0
            var sum = [UInt8](repeating: 0, count: 32)
            for index in (0..<32).reversed() {
                let digit = Int(number[index]) + Int(addend[index]) + carry
                sum[index] = UInt8(digit & 0xFF)
                carry = digit >> 8
            }
            return carry == 0 ? sum : [UInt8(carry)] + sum
        }
        func minus(_ number: [UInt8]) -> [UInt8] { plus(number.map { ~$0 }, [UInt8](repeating: 0, count: 31) + [1]) }
        func sequence(_ body: [UInt8]) -> [UInt8] { [0x30, UInt8(body.count)] + body }
        func integer(_ digits: [UInt8]) -> [UInt8] { [0x02, UInt8(digits.count)] + digits }
        func unsigned(_ digits: [UInt8]) -> [UInt8] { integer(digits[0] >= 0x80 ? [0] + digits : digits) }

        let malformed: [(String, [UInt8])] = [
            ("nothing", []),
            ("long form of the sequence's length", [0x30, 0x81, 68] + integers),
            ("two-byte long form", [0x30, 0x82, 0, 68] + integers),
            ("indefinite length", [0x30, 0x80] + integers + [0, 0]),
            ("long form of r's length", sequence([0x02, 0x81, 32] + r + [0x02, 32] + s)),
            ("long form of s's length", sequence([0x02, 32] + r + [0x02, 0x81, 32] + s)),
            ("byte behind the sequence", valid + [0]),
            ("NULL behind the sequence", valid + [5, 0]),
            ("byte within the sequence", sequence(integers + [0])),
            ("third number", sequence(integers + integer([1]))),
            ("one number", sequence(integer(r))),
            ("empty sequence", sequence([])),
            ("leading zero in r", sequence(integer([0] + r) + integer(s))),
            ("leading zero in s", sequence(integer(r) + integer([0] + s))),
            ("two leading zeros", sequence(integer([0, 0] + r) + integer(s))),
            ("negative r", sequence(integer(minus(r)) + integer(s))),
            ("negative s", sequence(integer(r) + integer(minus(s)))),
            ("r without its sign byte", sequence(integer([0x80] + r.dropFirst()) + integer(s))),
            ("r is zero", sequence(integer([0]) + integer(s))),
            ("s is zero", sequence(integer(r) + integer([0]))),
            ("r is empty", sequence(integer([]) + integer(s))),
            ("s is empty", sequence(integer(r) + integer([]))),
            ("r plus the order", sequence(unsigned(plus(r, order)) + integer(s))),
            ("s plus the order", sequence(integer(r) + unsigned(plus(s, order)))),
            ("r is the order", sequence(unsigned(order) + integer(s))),
            ("s is the order", sequence(integer(r) + unsigned(order))),
            ("r oversized", sequence(integer([1] + [UInt8](repeating: 0, count: 16) + r) + integer(s))),
            ("r and s exchanged", sequence(integer(s) + integer(r))),
            ("set instead of sequence", [0x31, 68] + integers),
            ("octet string instead of integer", sequence([0x04, 32] + r + [0x02, 32] + s)),
            ("high tag number", [0x3F, 0x10, 68] + integers),
            ("length one short", [0x30, 67] + integers),
            ("length one long", [0x30, 69] + integers),
            ("r's length reaches past the end", [0x30, 68, 0x02, 0x7F] + r + [0x02, 32] + s),
            ("fixed width where DER is due", r + s),
        ]
        for (name, bytes) in malformed {
            #expect(try !sample.key.verify(bytes, message: sample.message, encoding: .der), "\(name)")
        }
        for length in 0..<valid.count {
            #expect(try !sample.key.verify(Array(valid.prefix(length)), message: sample.message, encoding: .der))
        }
    }

    @Test(arguments: SigningCurve.allCases) func conversionsAreInverse(_ curve: SigningCurve) throws {
        let width = curve.privateKeyLength
        guard curve != .ed25519 else {
            #expect(ECDSASignature.der(fromP1363: [UInt8](repeating: 1, count: 64), curve: curve) == nil)
            return
        }
        for lead in [0x00, 0x01, 0x7F, 0x80, 0xFF] as [UInt8] {
            for zeros in [0, 1, width - 1] {
                var r = [lead] + (try Random.bytes(width - 1))
                for index in 0..<zeros { r[index] = 0 }
                r[width - 1] |= 1
                let s = (try Random.bytes(width - 1)) + [1]
                let der = try #require(ECDSASignature.der(fromP1363: r + s, curve: curve))
                #expect(ECDSASignature.p1363(fromDER: der, curve: curve) == r + s)
            }
        }
        let zero = [UInt8](repeating: 0, count: width)
        let one = zero.dropLast() + [1]
        #expect(ECDSASignature.der(fromP1363: zero + one, curve: curve) == nil)
        #expect(ECDSASignature.der(fromP1363: one + zero, curve: curve) == nil)
        #expect(ECDSASignature.der(fromP1363: Array((one + one).dropLast()), curve: curve) == nil)
    }

    /// Whatever the parser accepts, it must write back byte for byte: DER has one form.
    @Test func mutatedSignaturesAreRefusedOrCanonical() throws {
        let sample = try Sample()
        let valid = try sample.key.sign(sample.message)
        var mutator = Mutator(seed: 0x5EED)
        var accepted = 0
        for _ in 0..<50_000 {
            let mutated = mutator.mutate(valid)
            guard let fixed = ECDSASignature.p1363(fromDER: mutated, curve: .p256) else { continue }
            accepted += 1
            #expect(ECDSASignature.der(fromP1363: fixed, curve: .p256) == mutated)
        }
        #expect(accepted > 0)
    }
}

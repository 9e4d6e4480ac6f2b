import LibCrypto
import Testing

@testable import LightClient

@Suite(.timeLimit(.minutes(10))) struct StateTests {
    @Test func aStateComesBackFromItsBytes() throws {
        let chain = try TestChain(3) { height in height < 3 ? [(0, 5), (1, 7)] : [(2, 1 << 40), (1, 7), (3, 7)] }
        for height in 1...3 {
            let state = try chain.trusted(height)
            let bytes = try state.encoded()
            #expect(try TrustedState(decoding: bytes) == state)
            #expect(try TrustedState(decoding: bytes).encoded() == bytes)
        }
    }

    @Test func noByteOfAStateMayChangeOrBeMissing() throws {
        let bytes = try TestChain(2).trusted(2).encoded()
        for position in bytes.indices {
            for bit in 0..<8 {
                var changed = bytes
                changed[position] ^= 1 << UInt8(bit)
                #expect(code { _ = try TrustedState(decoding: changed) } == .malformed)
            }
            #expect(code { _ = try TrustedState(decoding: Array(bytes[..<position])) } == .malformed)
        }
        #expect(code { _ = try TrustedState(decoding: bytes + [0]) } == .malformed)
        #expect(
            code { _ = try TrustedState(decoding: [UInt8](repeating: 0, count: TrustedState.maximumLength + 1)) }
                == .malformed)
    }

    /// Whoever can also mend the hash at the end still gets no state that contradicts itself, and no crash.
    @Test func aForgedStateIsReadWholeOrNotAtAll() throws {
        let state = try TestChain(2).trusted(2)
        let body = Array(try state.encoded().dropLast(32))
        func sealed(_ body: [UInt8]) throws -> [UInt8] { try body + Digest.sha256(body) }
        for position in body.indices {
            for change: UInt8 in [0x01, 0x80, 0xff] {
                var changed = body
                changed[position] ^= change
                let bytes = try sealed(changed)
                guard let read = try? TrustedState(decoding: bytes) else { continue }
                #expect(try read.encoded() == bytes && read != state)
                #expect(read.nextValidators == state.nextValidators)
            }
            let cut = try sealed(Array(body[..<position]))
            #expect(throws: LightClientError.self) { try TrustedState(decoding: cut) }
        }
        #expect(throws: LightClientError.self) { try TrustedState(decoding: sealed(body + [0])) }
    }

    @Test func aStateWithOtherValidatorsThanItsHeaderNamesIsNone() throws {
        let chain = try TestChain(2) { height in height < 3 ? [(0, 5), (1, 7)] : [(2, 5)] }
        #expect(
            code { _ = try TrustedState(header: chain[2].header, nextValidators: chain.set(2)) } == .invalid)
    }
}

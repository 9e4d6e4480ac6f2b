/// Changes byte strings in the ways that break parsers; the same seed gives the same changes.
public struct Mutator: RandomNumberGenerator {
    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    /// SplitMix64.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    public mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

    /// One to three changes: a bit, a byte, a boundary value, a removal, an insertion, a truncation, a repetition.
    public mutating func mutate(_ original: [UInt8]) -> [UInt8] {
        var bytes = original
        for _ in 0...below(3) {
            guard !bytes.isEmpty else { return bytes }
            let index = below(bytes.count)
            switch below(8) {
            case 0: bytes[index] ^= 1 << UInt8(below(8))
            case 1: bytes[index] = UInt8(below(256))
            case 2: bytes[index] = [0x00, 0x01, 0x7F, 0x80, 0x81, 0x82, 0xFF][below(7)]
            case 3: bytes.remove(at: index)
            case 4: bytes.insert(UInt8(below(256)), at: index)
            case 5: bytes = Array(bytes.prefix(index))
            case 6: bytes.append(contentsOf: bytes[index...].prefix(8))
            default: bytes[index] = bytes[index] &+ (below(2) == 0 ? 1 : 255)
            }
        }
        return bytes
    }
}

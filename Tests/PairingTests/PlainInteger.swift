@testable import Pairing

/// A non-negative integer of any size by school arithmetic on 32-bit digits: slow, and with nothing in common with the
/// field arithmetic it checks.
struct PlainInteger: Equatable, Comparable, CustomStringConvertible {
    /// Least significant first, no leading zero.
    private(set) var digits: [UInt32]

    init(digits: [UInt32]) {
        self.digits = digits
        while self.digits.last == 0 { self.digits.removeLast() }
    }

    init(_ value: UInt64) { self.init(digits: [UInt32(truncatingIfNeeded: value), UInt32(value >> 32)]) }

    init(words: [UInt64]) {
        self.init(digits: words.flatMap { [UInt32(truncatingIfNeeded: $0), UInt32($0 >> 32)] })
    }

    init(bigEndian bytes: some Sequence<UInt8>) {
        self.init(0)
        for byte in bytes { self = shifted(8) + PlainInteger(UInt64(byte)) }
    }

    static func powerOfTwo(_ exponent: Int) -> PlainInteger { PlainInteger(1).shifted(exponent) }

    var bitWidth: Int { digits.isEmpty ? 0 : 32 * digits.count - digits[digits.count - 1].leadingZeroBitCount }
    var isOdd: Bool { digits.first.map { $0 & 1 == 1 } ?? false }
    var description: String {
        "0x" + bigEndian((bitWidth + 7) / 8).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    func bigEndian(_ count: Int) -> [UInt8] {
        (0..<count).reversed().map { index in
            index / 4 < digits.count ? UInt8(truncatingIfNeeded: digits[index / 4] >> UInt32(8 * (index % 4))) : 0
        }
    }

    func littleEndian(_ count: Int) -> [UInt8] { bigEndian(count).reversed() }

    func shifted(_ count: Int) -> PlainInteger {
        var result = [UInt32](repeating: 0, count: count / 32)
        var carry: UInt64 = 0
        for digit in digits {
            carry |= UInt64(digit) << UInt64(count % 32)
            result.append(UInt32(truncatingIfNeeded: carry))
            carry >>= 32
        }
        return PlainInteger(digits: result + [UInt32(carry)])
    }

    func bit(_ index: Int) -> Bool {
        index / 32 < digits.count && (digits[index / 32] >> UInt32(index % 32)) & 1 == 1
    }

    static func < (x: PlainInteger, y: PlainInteger) -> Bool {
        guard x.digits.count == y.digits.count else { return x.digits.count < y.digits.count }
        for (a, b) in zip(x.digits, y.digits).reversed() where a != b { return a < b }
        return false
    }

    static func + (x: PlainInteger, y: PlainInteger) -> PlainInteger {
        var result: [UInt32] = []
        var carry: UInt64 = 0
        for index in 0..<max(x.digits.count, y.digits.count) {
            carry += UInt64(index < x.digits.count ? x.digits[index] : 0)
            carry += UInt64(index < y.digits.count ? y.digits[index] : 0)
            result.append(UInt32(truncatingIfNeeded: carry))
            carry >>= 32
        }
        return PlainInteger(digits: result + [UInt32(carry)])
    }

    /// Traps below 0.
    static func - (x: PlainInteger, y: PlainInteger) -> PlainInteger {
        precondition(x >= y, "a difference below 0")
        var result: [UInt32] = []
        var borrow: Int64 = 0
        for index in x.digits.indices {
            borrow += Int64(x.digits[index]) - Int64(index < y.digits.count ? y.digits[index] : 0)
            result.append(UInt32(truncatingIfNeeded: borrow))
            borrow >>= 32
        }
        return PlainInteger(digits: result)
    }

    static func * (x: PlainInteger, y: PlainInteger) -> PlainInteger {
        var result = [UInt32](repeating: 0, count: x.digits.count + y.digits.count + 1)
        for i in x.digits.indices {
            var carry: UInt64 = 0
            for j in y.digits.indices {
                carry += UInt64(x.digits[i]) * UInt64(y.digits[j]) + UInt64(result[i + j])
                result[i + j] = UInt32(truncatingIfNeeded: carry)
                carry >>= 32
            }
            result[i + y.digits.count] = UInt32(carry)
        }
        return PlainInteger(digits: result)
    }

    /// By subtracting multiples that are a little too small, digit for digit.
    static func % (x: PlainInteger, modulus: PlainInteger) -> PlainInteger {
        let spare = modulus.digits[modulus.digits.count - 1].leadingZeroBitCount
        // The top bit is set, so that the top digits tell the quotient well.
        let divisor = modulus.shifted(spare).digits
        var rest = x.shifted(spare).digits + [0]
        let top = divisor.count - 1
        for place in stride(from: rest.count - divisor.count - 1, through: 0, by: -1) {
            func isLess() -> Bool {
                if rest[place + top + 1] != 0 { return false }
                for index in divisor.indices.reversed() where rest[place + index] != divisor[index] {
                    return rest[place + index] < divisor[index]
                }
                return false
            }
            while !isLess() {
                let leading = UInt64(rest[place + top + 1]) << 32 | UInt64(rest[place + top])
                let factor = min(max(leading / (UInt64(divisor[top]) + 1), 1), UInt64(UInt32.max))
                var borrow: UInt64 = 0
                for index in divisor.indices {
                    borrow += factor * UInt64(divisor[index])
                    let (digit, under) = rest[place + index].subtractingReportingOverflow(
                        UInt32(truncatingIfNeeded: borrow))
                    rest[place + index] = digit
                    borrow = (borrow >> 32) + (under ? 1 : 0)
                }
                rest[place + top + 1] -= UInt32(borrow)
            }
        }
        return PlainInteger(digits: rest).halved(spare)
    }

    private func halved(_ count: Int) -> PlainInteger {
        guard count > 0 else { return self }
        return PlainInteger(
            digits: digits.indices.map { index in
                let above = index + 1 < digits.count ? UInt64(digits[index + 1]) : 0
                return UInt32(truncatingIfNeeded: (above << 32 | UInt64(digits[index])) >> UInt64(count))
            })
    }
}

extension PrimeField {
    static var plainModulus: PlainInteger { PlainInteger(words: modulus) }
    /// R of the Montgomery form.
    static var plainRadix: PlainInteger { .powerOfTwo(64 * modulus.count) }

    /// The integer that the element stands for, by the encoding.
    var plain: PlainInteger { PlainInteger(bigEndian: bigEndianBytes) }
    /// The limbs as they lie in memory, without leaving the Montgomery form.
    var plainLimbs: PlainInteger {
        PlainInteger(words: withUnsafeBytes(of: self) { Array($0.bindMemory(to: UInt64.self)) })
    }

    /// Limbs as they are, whatever they are.
    init(plainLimbs value: PlainInteger) {
        self = Self.zero
        let bytes = value.littleEndian(MemoryLayout<Self>.size)
        withUnsafeMutableBytes(of: &self) { $0.copyBytes(from: bytes) }
    }

    /// Integers where carries, borrows and comparisons go wrong, below 2^`bits`: 0, 1, around the modulus and its multiples,
    /// runs of ones that end at every limb, single limbs of ones, and the largest.
    static func awkward(bits: Int) -> [PlainInteger] {
        let one = PlainInteger(1)
        let (p, end) = (plainModulus, PlainInteger.powerOfTwo(bits))
        var result = [
            PlainInteger(0), one, PlainInteger(2), p - one, p, p + one, p + p - one, p + p, p + p + one, end - one,
        ]
        if end > p { result += [end - p - one, end - p, end - p + one] }
        for shift in stride(from: 64, through: bits, by: 64) {
            let power = PlainInteger.powerOfTwo(shift)
            result += [power - one, power, power - PlainInteger.powerOfTwo(shift - 64), end - power]
        }
        for exponent in [31, 63, 65, 127, 255, bits - 1] { result.append(.powerOfTwo(exponent) - one) }
        return result.filter { $0 < end }
    }
}

extension TestRandom {
    mutating func plain(bits: Int) -> PlainInteger { PlainInteger(bigEndian: bytes(bits / 8)) }
}

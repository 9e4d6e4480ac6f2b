/// What the towers and the curve formulas need of a field.
///
/// Every operation runs in time that does not depend on the values, unless its name ends in `VariableTime`. Truth values
/// about elements are masks: all ones for true, 0 for false.
protocol FieldElement: Equatable, Sendable {
    static var zero: Self { get }
    static var one: Self { get }

    static func + (x: Self, y: Self) -> Self
    static func - (x: Self, y: Self) -> Self
    static func * (x: Self, y: Self) -> Self
    var doubled: Self { get }
    var tripled: Self { get }
    var squared: Self { get }
    /// 1/x, and 0 for 0.
    var inverse: Self { get }
    /// The same for public values, faster.
    var inverseVariableTime: Self { get }
    var isZeroMask: UInt64 { get }
    func equalMask(_ other: Self) -> UInt64
    /// x where the mask is all ones, y where it is 0.
    static func select(_ mask: UInt64, _ x: Self, _ y: Self) -> Self
}

extension FieldElement {
    @inline(__always) static prefix func - (x: Self) -> Self { zero - x }
    @inline(__always) var doubled: Self { self + self }
    @inline(__always) var tripled: Self { self + self + self }
    @inline(__always) var quadrupled: Self { doubled.doubled }
    @inline(__always) var isZero: Bool { isZeroMask != 0 }
    @inline(__always) static func == (x: Self, y: Self) -> Bool { x.equalMask(y) != 0 }
    @inline(__always) func negated(where mask: UInt64) -> Self { Self.select(mask, -self, self) }

    /// x to a public exponent, least significant word first: windows of 4 bits, so the time tells the exponent's
    /// length and windows but nothing about x.
    @inline(never)
    func power(_ exponent: [UInt64]) -> Self {
        withUnsafeTemporaryAllocation(of: Self.self, capacity: 16) { table in
            table.initialize(repeating: Self.one)
            for i in 1..<16 { table[i] = table[i - 1] * self }
            defer { wipe(UnsafeMutableRawBufferPointer(table)) }
            var result = Self.one
            var started = false
            for word in exponent.reversed() {
                for shift in stride(from: 60, through: 0, by: -4) {
                    if started { result = result.squared.squared.squared.squared }
                    let digit = Int(truncatingIfNeeded: (word >> UInt64(shift)) & 15)
                    if digit != 0 {
                        result = started ? result * table[digit] : table[digit]
                        started = true
                    }
                }
            }
            return result
        }
    }
}

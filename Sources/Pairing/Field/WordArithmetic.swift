// The carries come out of 128-bit arithmetic. Written with `…ReportingOverflow` and `overflow ? 1 : 0`, the
// optimiser has been seen to turn them into a conditional jump on secret data; Tests/ConstantTime checks the result.

/// t + a * b + c as (high, low); cannot overflow.
@inline(__always)
func multiplyAdd(_ t: UInt64, _ a: UInt64, _ b: UInt64, _ c: UInt64) -> (UInt64, UInt64) {
    let value =
        UInt128(truncatingIfNeeded: a) &* UInt128(truncatingIfNeeded: b)
        &+ UInt128(truncatingIfNeeded: t) &+ UInt128(truncatingIfNeeded: c)
    return (UInt64(truncatingIfNeeded: value >> 64), UInt64(truncatingIfNeeded: value))
}

/// a + b + carry as (sum, carry).
@inline(__always)
func addCarry(_ a: UInt64, _ b: UInt64, _ carry: UInt64) -> (UInt64, UInt64) {
    let value = UInt128(truncatingIfNeeded: a) &+ UInt128(truncatingIfNeeded: b) &+ UInt128(truncatingIfNeeded: carry)
    return (UInt64(truncatingIfNeeded: value), UInt64(truncatingIfNeeded: value >> 64))
}

/// a - b - (1 - clear) as (difference, clear): `clear` is 1 while nothing is borrowed.
///
/// The complement turns a borrow into a carry, which becomes one `adc`; the borrow of a 128-bit difference does not.
@inline(__always)
func subtractClear(_ a: UInt64, _ b: UInt64, _ clear: UInt64) -> (UInt64, UInt64) {
    addCarry(a, ~b, clear)
}

/// All ones when `word` is 0, else 0.
@inline(__always)
func zeroMask(_ word: UInt64) -> UInt64 {
    // The top bit of (w | -w) is set exactly when w is not 0.
    ((word | (0 &- word)) >> 63) &- 1
}

/// ``zeroMask(_:)`` out of the optimiser's sight: where it sees that a mask has two values only and selects enough words,
/// it has been seen to jump over the selection. For masks on secrets that select whole points.
@inline(never) @_optimize(none)
func opaqueZeroMask(_ word: UInt64) -> UInt64 { zeroMask(word) }

/// A precondition of the arithmetic, checked in debug builds and in tests. Not `assert`: these targets are optimised in
/// debug builds too, which removes it. Release builds check nothing, since the operands may be secret.
@inline(__always)
func require(_ holds: @autoclosure () -> Bool, _ rule: StaticString) {
    #if DEBUG
        if !holds() { fatalError("\(rule)") }
    #endif
}

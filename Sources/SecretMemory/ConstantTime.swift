/// Comparisons whose time does not depend on where two values differ.
public enum ConstantTime {
    /// Compares two buffers; unequal lengths answer at once, since lengths are public.
    @inline(never)
    public static func equal(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        for index in 0..<left.count { difference |= left[index] ^ right[index] }
        return difference == 0
    }

    /// Compares two byte arrays, such as a received MAC and a computed one.
    public static func equal(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.withUnsafeBytes { left in right.withUnsafeBytes { right in equal(left, right) } }
    }
}

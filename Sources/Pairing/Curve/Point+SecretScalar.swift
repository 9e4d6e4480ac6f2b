extension Point {
    /// Multiplies by a secret scalar without a branch or an address that depends on it.
    ///
    /// Windows of four bits; each table entry is read for each window and the wanted one kept by a mask. Every scalar of
    /// the same length takes the same path.
    ///
    /// - Parameter scalar: an integer, least significant byte first unless `bigEndian`; it is read in place and only a
    ///   byte of it is held at a time.
    @inline(never)
    func multiplied(bySecret scalar: UnsafeRawBufferPointer, bigEndian: Bool) -> Self {
        withUnsafeTemporaryAllocation(of: Self.self, capacity: 16) { table in
            table.initialize(repeating: Self.infinity)
            table[1] = self
            for i in 1..<8 {
                table[2 * i] = table[i].doubled
                table[2 * i + 1] = table[2 * i] + self
            }
            defer { wipe(UnsafeMutableRawBufferPointer(table)) }
            var result = Self.infinity
            for index in 0..<scalar.count {
                let byte = UInt64(bigEndian ? scalar[index] : scalar[scalar.count - 1 - index])
                result = result.window(byte >> 4, table, first: index == 0)
                result = result.window(byte & 15, table, first: false)
            }
            return result
        }
    }

    @inline(__always)
    private func window(_ digit: UInt64, _ table: UnsafeMutableBufferPointer<Self>, first: Bool) -> Self {
        // `first` depends on the position only.
        let shifted = first ? self : doubled.doubled.doubled.doubled
        var entry = table[0]
        for i in 1..<16 { entry = Self.select(opaqueZeroMask(digit ^ UInt64(i)), table[i], entry) }
        return shifted + entry
    }
}

extension Point {
    /// Multiplies by a public integer, least significant word first.
    func multipliedVariableTime(by scalar: [UInt64]) -> Self {
        Self.sumVariableTime([(self, scalar)])
    }

    /// Multiplies by one public word; for the sparse curve parameters.
    func multipliedVariableTime(by scalar: UInt64) -> Self {
        guard scalar != 0 else { return .infinity }
        var result = self
        for shift in (0..<(63 - scalar.leadingZeroBitCount)).reversed() {
            result = result.doubled
            if (scalar >> UInt64(shift)) & 1 != 0 { result = result + self }
        }
        return result
    }

    /// Σ scalar·point for public data: interleaved non-adjacent forms of width 5 over shared doublings.
    static func sumVariableTime(_ terms: [(point: Self, scalar: [UInt64])]) -> Self {
        var tables: [[Self]] = []
        var digits: [[Int8]] = []
        var length = 0
        for term in terms {
            let form = nonAdjacentForm(term.scalar)
            length = max(length, form.count)
            digits.append(form)
            let twice = term.point.doubled
            var odd = [term.point]
            for _ in 1..<8 { odd.append(odd[odd.count - 1] + twice) }
            tables.append(odd)
        }
        var result = Self.infinity
        for position in (0..<length).reversed() {
            result = result.doubled
            for index in terms.indices where position < digits[index].count {
                let digit = Int(digits[index][position])
                if digit > 0 { result = result + tables[index][digit >> 1] }
                if digit < 0 { result = result - tables[index][-digit >> 1] }
            }
        }
        return result
    }

    /// Signed odd digits below 16 in absolute value, at least four zeros between two of them.
    static func nonAdjacentForm(_ scalar: [UInt64]) -> [Int8] {
        var words = scalar + [0]
        var form: [Int8] = []
        while words.contains(where: { $0 != 0 }) {
            var digit: Int64 = 0
            if words[0] & 1 != 0 {
                digit = Int64(words[0] & 31)
                if digit >= 16 { digit -= 32 }
                subtract(digit, from: &words)
            }
            form.append(Int8(digit))
            for i in 0..<words.count {
                words[i] = (words[i] >> 1) | (i + 1 < words.count ? words[i + 1] << 63 : 0)
            }
        }
        return form
    }

    private static func subtract(_ digit: Int64, from words: inout [UInt64]) {
        if digit >= 0 {
            words[0] &-= UInt64(digit)  // the low five bits are exactly this digit
            return
        }
        var carry = UInt64(-digit)
        for i in 0..<words.count where carry != 0 {
            let (sum, overflow) = words[i].addingReportingOverflow(carry)
            words[i] = sum
            carry = overflow ? 1 : 0
        }
    }
}

extension JSONScanner {
    /// The elements of an array that ``scan(_:)`` has found.
    ///
    /// - Parameters:
    ///   - array: With its brackets.
    ///   - limit: Of elements.
    /// - Returns: Nil for more elements than `limit`.
    mutating func elements(of array: Range<Int>, limit: Int) throws(JSONError) -> [JSONValue]? {
        position = array.lowerBound
        guard take(UInt8(ascii: "[")) else { throw malformed }
        skipWhitespace()
        if take(UInt8(ascii: "]")) { return [] }
        var values: [JSONValue] = []
        repeat {
            guard values.count < limit else { return nil }
            skipWhitespace()
            values.append(try value(depth: 1))
            skipWhitespace()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "]")), position == array.upperBound else { throw malformed }
        return values
    }
}

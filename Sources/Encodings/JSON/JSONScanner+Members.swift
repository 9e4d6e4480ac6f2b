extension JSONScanner {
    /// Scans a whole text, an object, for the values of a few members. No value is copied, so a body of any size costs
    /// one pass.
    ///
    /// Names match exactly or in another ASCII case, as TrustBloc's server does; a second member for the same
    /// name is refused, so that no two readers of a body can disagree about it. Members with other names are checked
    /// for form and passed over.
    ///
    /// - Parameters:
    ///   - names: Lower-case ASCII names to look for.
    ///   - exactly: Whether a name in another case is refused instead of accepted.
    /// - Returns: One value per name, absent where the object does not have it.
    package mutating func members(_ names: [StaticString], exactly: Bool) throws(StrictJSONError) -> [JSONValue] {
        var values = [JSONValue](repeating: .absent, count: names.count)
        skipWhitespace()
        guard position == bytes.count || bytes[position] == UInt8(ascii: "{") else { throw .notAnObject }
        try object(depth: 1) { scanner, name throws(StrictJSONError) in
            let value = try scanner.value(depth: 1)
            guard let index = scanner.index(of: name, in: names) else { return }
            guard case .absent = values[index] else { throw .memberTwice("\(names[index])") }
            guard !exactly || scanner.isSpelled(name, names[index]) else {
                throw .memberInOtherCase("\(names[index])")
            }
            values[index] = value
        }
        try finish()
        return values
    }

    /// The elements of an array that ``members(_:exactly:)`` has found.
    ///
    /// - Parameters:
    ///   - array: With its brackets.
    ///   - limit: Of elements.
    /// - Throws: ``StrictJSONError/tooManyValues(limit:)``.
    package mutating func elements(of array: Range<Int>, limit: Int) throws(StrictJSONError) -> [JSONValue] {
        position = array.lowerBound
        var values: [JSONValue] = []
        try self.array(depth: 1) { scanner throws(StrictJSONError) in
            guard values.count < limit else { throw .tooManyValues(limit: limit) }
            values.append(try scanner.value(depth: 1))
        }
        return values
    }

    private func isSpelled(_ name: JSONString, _ expected: StaticString) -> Bool {
        !name.isEscaped && name.range.count == expected.utf8CodeUnitCount
            && bytes[name.range].elementsEqual(
                UnsafeBufferPointer(start: expected.utf8Start, count: expected.utf8CodeUnitCount))
    }

    private func index(of name: JSONString, in names: [StaticString]) -> Int? {
        // What was only passed over may hold escapes that mean nothing, and then is no name that is looked for.
        if onlyFindsParts, name.isEscaped {
            var strict = JSONScanner(bytes)
            strict.position = name.range.lowerBound - 1
            guard (try? strict.string()) == name else { return nil }
        }
        if name.isEscaped {
            let unescaped = name.unescaped(in: bytes)
            return unescaped.withUnsafeBytes { text in names.firstIndex { Self.matches(text, $0) } }
        }
        let text = UnsafeRawBufferPointer(rebasing: bytes[name.range])
        return names.firstIndex { Self.matches(text, $0) }
    }

    private static func matches(_ text: UnsafeRawBufferPointer, _ name: StaticString) -> Bool {
        guard text.count == name.utf8CodeUnitCount else { return false }
        for index in 0..<text.count {
            let byte = text[index]
            let lower = byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
            if lower != name.utf8Start[index] { return false }
        }
        return true
    }
}

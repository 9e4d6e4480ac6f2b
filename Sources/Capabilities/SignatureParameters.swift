/// The parameters of a `Signature` header, `name=value` or `name="value"` with commas between, each once.
struct SignatureParameters {
    /// Most parameters; the draft names seven.
    private static let limit = 32

    private let header: [UInt8]
    private var places: [(name: Range<Int>, value: Range<Int>)] = []

    /// - Throws: ``CapabilityError``, `.unauthorized`.
    init(_ header: [UInt8]) throws(CapabilityError) {
        self.header = header
        var position = 0
        while position < header.count {
            guard let equals = header[position...].firstIndex(of: UInt8(ascii: "=")) else {
                throw .unauthorized("Signature has a name without value")
            }
            let name = trimmed(position..<equals)
            position = equals + 1
            let value: Range<Int>
            if position < header.count, header[position] == UInt8(ascii: "\"") {
                guard let quote = header[(position + 1)...].firstIndex(of: UInt8(ascii: "\"")) else {
                    throw .unauthorized("Signature has an open quote")
                }
                value = position + 1..<quote
                position = quote + 1
            } else {
                let comma = header[position...].firstIndex(of: UInt8(ascii: ",")) ?? header.count
                value = position..<comma
                position = comma
            }
            guard places.count < Self.limit, !places.contains(where: { header[$0.name] == header[name] }),
                position == header.count || header[position] == UInt8(ascii: ",")
            else {
                throw .unauthorized("Signature repeats a parameter, has too many or lacks a comma")
            }
            places.append((name, value))
            position += 1
        }
    }

    /// The value of a parameter; nil if it is absent.
    func bytes(_ name: StaticString) -> ArraySlice<UInt8>? {
        let name = UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        return places.first { header[$0.name].elementsEqual(name) }.map { header[$0.value] }
    }

    func text(_ name: StaticString) -> String? { bytes(name).map { String(decoding: $0, as: UTF8.self) } }

    private func trimmed(_ range: Range<Int>) -> Range<Int> {
        func isSpace(_ index: Int) -> Bool { header[index] == UInt8(ascii: " ") || header[index] == UInt8(ascii: "\t") }
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, isSpace(start) { start += 1 }
        while start < end, isSpace(end - 1) { end -= 1 }
        return start..<end
    }
}

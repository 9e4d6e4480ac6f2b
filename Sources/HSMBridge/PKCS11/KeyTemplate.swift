import CP11Kit
import Glibc

/// An attribute template, built typed and lent to C as one block of memory.
struct KeyTemplate: Hashable, Sendable, ExpressibleByArrayLiteral {
    var attributes: [Attribute]

    init(_ attributes: [Attribute]) { self.attributes = attributes }
    init(arrayLiteral elements: Attribute...) { attributes = elements }

    static func + (left: KeyTemplate, right: [Attribute]) -> KeyTemplate { KeyTemplate(left.attributes + right) }

    /// The value of a Boolean attribute; nil if the template does not name it.
    func flag(_ type: AttributeType) -> Bool? {
        for case .flag(type, let value) in attributes { return value }
        return nil
    }

    /// Lends the C array.
    ///
    /// All values live in one block that is wiped afterwards (an imported key's value passes through it), so no
    /// pointer in the array outlives the closure and none points into another Swift value.
    func withCAttributes<R>(_ body: (UnsafeMutablePointer<CK_ATTRIBUTE>, CK_ULONG) -> R) -> R {
        let size = max(Self.size(of: attributes), 1)
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: Self.alignment)
        defer {
            if let base = block.baseAddress { explicit_bzero(base, size) }
            block.deallocate()
        }
        var cursor = block[...]
        let array = Self.write(attributes, into: &cursor)
        return body(array, CK_ULONG(attributes.count))
    }

    private static let alignment = 16

    private static func padded(_ count: Int) -> Int { (count + alignment - 1) / alignment * alignment }

    private static func size(of attributes: [Attribute]) -> Int {
        attributes.reduce(padded(max(attributes.count * MemoryLayout<CK_ATTRIBUTE>.stride, 1))) { total, attribute in
            switch attribute {
            case .flag: total + padded(MemoryLayout<CK_BBOOL>.size)
            case .number: total + padded(MemoryLayout<CK_ULONG>.size)
            case .bytes(_, let value): total + padded(max(value.count, 1))
            case .allowedMechanisms(let types): total + padded(max(types.count, 1) * MemoryLayout<CK_ULONG>.stride)
            case .template(_, let nested): total + size(of: nested)
            }
        }
    }

    /// Takes the next `count` bytes of the block; ``size(of:)`` reserved exactly what ``write(_:into:)`` takes.
    private static func take(
        _ count: Int, from cursor: inout Slice<UnsafeMutableRawBufferPointer>
    ) -> UnsafeMutableRawBufferPointer {
        let piece = UnsafeMutableRawBufferPointer(rebasing: cursor.prefix(padded(max(count, 1))))
        cursor = cursor.dropFirst(padded(max(count, 1)))
        return piece
    }

    private static func write(
        _ attributes: [Attribute], into cursor: inout Slice<UnsafeMutableRawBufferPointer>
    ) -> UnsafeMutablePointer<CK_ATTRIBUTE> {
        let array = take(attributes.count * MemoryLayout<CK_ATTRIBUTE>.stride, from: &cursor)
            .bindMemory(to: CK_ATTRIBUTE.self)
        for (index, attribute) in attributes.enumerated() {
            let value: UnsafeMutableRawPointer?
            let length: Int
            switch attribute {
            case .flag(_, let flag):
                length = MemoryLayout<CK_BBOOL>.size
                let place = take(length, from: &cursor)
                place.storeBytes(of: CK_BBOOL(flag ? CK_TRUE : CK_FALSE), as: CK_BBOOL.self)
                value = place.baseAddress
            case .number(_, let number):
                length = MemoryLayout<CK_ULONG>.size
                let place = take(length, from: &cursor)
                place.storeBytes(of: CK_ULONG(number), as: CK_ULONG.self)
                value = place.baseAddress
            case .bytes(_, let bytes):
                length = bytes.count
                let place = take(length, from: &cursor)
                place.copyBytes(from: bytes)
                value = place.baseAddress
            case .allowedMechanisms(let types):
                length = types.count * MemoryLayout<CK_ULONG>.stride
                let place = take(length, from: &cursor)
                for (offset, type) in types.enumerated() {
                    place.storeBytes(
                        of: type.rawValue, toByteOffset: offset * MemoryLayout<CK_ULONG>.stride, as: CK_ULONG.self)
                }
                value = place.baseAddress
            case .template(_, let nested):
                length = nested.count * MemoryLayout<CK_ATTRIBUTE>.stride
                value = UnsafeMutableRawPointer(write(nested, into: &cursor))
            }
            array.baseAddress?.advanced(by: index).initialize(
                to: CK_ATTRIBUTE(type: attribute.type.rawValue, pValue: value, ulValueLen: CK_ULONG(length)))
        }
        guard let base = array.baseAddress else { preconditionFailure("a block of at least one byte has an address") }
        return base
    }
}

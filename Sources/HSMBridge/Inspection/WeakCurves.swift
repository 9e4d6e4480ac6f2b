/// Elliptic curves whose logarithms can be taken, by what CKA_EC_PARAMS says.
enum WeakCurves {
    /// Below this many bits of the group's order a curve is disallowed (NIST SP 800-131A revision 2).
    private static let least = 224

    /// The bits of a curve that is too small; nil for one that is large enough or that nobody here knows.
    static func bits(of parameters: [UInt8]) -> Int? {
        if let bits = named[parameters] { return bits }
        guard let bits = orderBits(ofExplicit: parameters), bits < least else { return nil }
        return bits
    }

    /// The bits of the order in explicit parameters: version, field, curve, base point, order (SEC 1, appendix C.2).
    private static func orderBits(ofExplicit parameters: [UInt8]) -> Int? {
        guard let whole = element(parameters[...]), whole.tag == 0x30 else { return nil }
        var rest = whole.content
        for tag: UInt8 in [0x02, 0x30, 0x30, 0x04] {
            guard let part = element(rest), part.tag == tag else { return nil }
            rest = part.rest
        }
        guard let order = element(rest), order.tag == 0x02 else { return nil }
        let digits = order.content.drop { $0 == 0 }
        guard let first = digits.first else { return 0 }
        return digits.count * 8 - first.leadingZeroBitCount
    }

    private static func element(
        _ bytes: ArraySlice<UInt8>
    ) -> (tag: UInt8, content: ArraySlice<UInt8>, rest: ArraySlice<UInt8>)? {
        guard bytes.count >= 2 else { return nil }
        let tag = bytes[bytes.startIndex]
        var length = Int(bytes[bytes.startIndex + 1])
        var content = bytes.dropFirst(2)
        if length >= 0x80 {
            let count = length - 0x80
            guard (1...2).contains(count), content.count >= count else { return nil }
            length = content.prefix(count).reduce(0) { $0 << 8 | Int($1) }
            content = content.dropFirst(count)
        }
        guard content.count >= length else { return nil }
        return (tag, content.prefix(length), content.dropFirst(length))
    }

    /// Object identifiers of curves below 224 bits: SEC 2 (1.3.132.0.n), ANSI X9.62 over prime fields (1.2.840.10045.3.1.n) and
    /// binary ones (1.2.840.10045.3.0.n), brainpool, WAP (2.23.43.1.4.n).
    private static let named: [[UInt8]: Int] = {
        var curves: [[UInt8]: Int] = [:]
        let sec: [(UInt8, Int)] = [
            (6, 112), (7, 112), (28, 128), (29, 128), (8, 160), (9, 160), (30, 160), (31, 192), (4, 113), (5, 113),
            (22, 131), (23, 131), (1, 163), (2, 163), (15, 163), (24, 193), (25, 193),
        ]
        for (arc, bits) in sec { curves[[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, arc]] = bits }
        for arc in 1...3 as ClosedRange<UInt8> {
            curves[[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, arc]] = 192
        }
        // The order of c2pnb176w1 has 161 bits, that of c2pnb208w1 193.
        let binary: [(UInt8, Int)] = [
            (1, 163), (2, 162), (3, 162), (4, 161), (5, 190), (6, 190), (7, 189), (8, 191), (9, 191), (10, 193),
        ]
        for (arc, bits) in binary { curves[[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x00, arc]] = bits }
        for (arc, bits) in [(1, 160), (2, 160), (3, 192), (4, 192)] as [(UInt8, Int)] {
            curves[[0x06, 0x09, 0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, arc]] = bits
        }
        let wap: [(UInt8, Int)] = [(1, 112), (3, 163), (4, 113), (5, 163), (6, 112), (7, 161), (8, 113), (9, 161)]
        for (arc, bits) in wap { curves[[0x06, 0x05, 0x67, 0x2b, 0x01, 0x04, arc]] = bits }
        return curves
    }()
}

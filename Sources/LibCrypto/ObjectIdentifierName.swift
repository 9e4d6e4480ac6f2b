/// Texts for object identifiers in messages.
enum ObjectIdentifierName {
    /// A usual name where there is one, with the dotted form.
    static func text(_ content: UnsafeRawBufferPointer) -> String {
        let dotted = dotted(content)
        return known[dotted].map { "\($0) (\(dotted))" } ?? dotted
    }

    private static let known = [
        "1.2.840.113549.1.1.1": "RSA",
        "1.2.840.113549.1.1.10": "RSA-PSS",
        "1.2.840.10040.4.1": "DSA",
        "1.3.101.110": "X25519",
        "1.3.101.111": "X448",
        "1.3.101.113": "Ed448",
        "1.2.840.10045.3.1.1": "P-192",
        "1.3.132.0.33": "P-224",
        "1.3.132.1.12": "an EC key for key agreement alone",
        "1.3.36.3.3.2.8.1.1.7": "brainpoolP256r1",
        "1.3.36.3.3.2.8.1.1.11": "brainpoolP384r1",
        "1.3.36.3.3.2.8.1.1.13": "brainpoolP512r1",
    ]

    /// X.690 §8.19; at most 16 arcs of at most 28 bits, which is more than any curve needs.
    static func dotted(_ content: UnsafeRawBufferPointer) -> String {
        var arcs: [UInt32] = []
        var value: UInt32 = 0
        for byte in content.prefix(64) {
            guard value < 1 << 21, arcs.count < 16 else { return "an unreadable identifier" }
            value = value << 7 | UInt32(byte & 0x7F)
            if byte < 0x80 {
                if arcs.isEmpty {
                    let first = min(value / 40, 2)
                    arcs = [first, value - 40 * first]
                } else {
                    arcs.append(value)
                }
                value = 0
            }
        }
        return arcs.isEmpty ? "an unreadable identifier" : arcs.map { String($0) }.joined(separator: ".")
    }
}

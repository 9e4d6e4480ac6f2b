import Encodings

/// Known answers that a token must reproduce.
enum ProbeVectors {
    /// AES-256-GCM, test case 14 of McGrew and Viega, "The Galois/Counter Mode of Operation": key, IV and plaintext
    /// of zeros.
    static let gcmCiphertext = bytes("cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919")

    /// HMAC-SHA-256, RFC 4231 test case 6: 131 bytes aa.
    static let hmacData = Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8)
    static let hmacTag = bytes("60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")

    /// A scalar, the point 7·G, and the x coordinate of their product, by independent integer arithmetic.
    static let bn254Scalar = bytes("0123456789abcdef0fedcba9876543210123456789abcdef0fedcba987654321")
    static let bn254Point = bytes(
        "04" + "03264dccff0e7c8de83d9baa1bc15615e93c3d8e13755f21d45cfc62911993b0"
            + "0b4ddf7264812ffde94bd4359c7dc035aade884795e828d71b5cbf3c1054ba2e")
    static let bn254Product = bytes("1c21d3088648aac849e962d4a40bdf8e2e73b28c1354b12c42a9246e65d020e0")

    private static func bytes(_ hexadecimal: String) -> [UInt8] {
        guard let bytes = Hexadecimal.decode(hexadecimal) else {
            preconditionFailure("a constant of ours is hexadecimal")
        }
        return bytes
    }
}

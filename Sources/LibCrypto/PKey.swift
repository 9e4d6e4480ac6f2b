internal import CLibCrypto
import SecretMemory

/// Owns one EVP_PKEY.
///
/// @unchecked Sendable: the key is complete when the initialiser returns and is only read afterwards; OpenSSL allows
/// concurrent operations on one EVP_PKEY, its caches of provider-side keys have a lock of their own, and the reference count
/// is atomic. Freed once, by `deinit`.
final class PKey: @unchecked Sendable {
    let pointer: OpaquePointer

    /// Takes over one reference.
    private init(owning pointer: OpaquePointer) { self.pointer = pointer }

    deinit { EVP_PKEY_free(pointer) }

    /// A Weierstrass key pair from its two parts, which must belong together.
    static func pair(
        _ group: NamedGroup, _ scalar: borrowing SecretScalar, publicPoint: [UInt8]
    ) throws(LibCryptoError) -> PKey {
        let native = try scalar.nativeBytes()
        return try native.withUnsafeBytes { native throws(LibCryptoError) in
            try publicPoint.lend { publicPoint throws(LibCryptoError) in
                // Read by the library, not written: the parameter type serves both.
                let number = UnsafeMutableRawBufferPointer(mutating: native)
                return try build(
                    [
                        Parameter.text("group", group.name), Parameter.octets("pub", publicPoint),
                        Parameter.number("priv", number), Parameter.end,
                    ], KMS_EVP_PKEY_KEYPAIR)
            }
        }
    }

    /// A Weierstrass public key. OpenSSL refuses a point off the curve.
    static func publicOnly(_ group: NamedGroup, _ point: [UInt8]) throws(LibCryptoError) -> PKey {
        guard point.count == 1 + 2 * group.fieldLength, point[0] == 0x04 else {
            throw LibCryptoError(.invalidInput, "A public key is an uncompressed point: 04, X, Y.")
        }
        return try point.lend { point throws(LibCryptoError) in
            try build(
                [Parameter.text("group", group.name), Parameter.octets("pub", point), Parameter.end],
                KMS_EVP_PKEY_PUBLIC_KEY, refusal: "The public key is not a point of its curve.")
        }
    }

    /// Writes a scalar, big-endian and padded, straight into `output`; `EVP_PKEY_get_bn_param` would leave it on the stack.
    func copyScalar(into output: UnsafeMutableRawBufferPointer) throws(LibCryptoError) {
        var parameters = [Parameter.number("priv", output), Parameter.end]
        try OpenSSL.check("EVP_PKEY_get_params", EVP_PKEY_get_params(pointer, &parameters))
        try OpenSSL.check("EVP_PKEY_get_params", parameters[0].return_size == output.count ? 1 : 0)
        #if _endian(little)
            for index in 0..<output.count / 2 { output.swapAt(index, output.count - 1 - index) }
        #endif
    }

    /// An RSA public key from big-endian numbers.
    static func rsaPublic(modulus: [UInt8], exponent: [UInt8]) throws(LibCryptoError) -> PKey {
        // The library takes numbers in the machine's order; it reads them only.
        return try lend(modulus) { modulus throws(LibCryptoError) in
            try lend(exponent) { exponent throws(LibCryptoError) in
                try build(
                    [Parameter.number("n", modulus), Parameter.number("e", exponent), Parameter.end],
                    KMS_EVP_PKEY_PUBLIC_KEY, type: "RSA", refusal: "The numbers make no RSA key.")
            }
        }
    }

    private static func lend<R>(
        _ bytes: [UInt8], _ body: (UnsafeMutableRawBufferPointer) throws(LibCryptoError) -> R
    ) throws(LibCryptoError) -> R {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 16)
        defer { memory.deallocate() }
        #if _endian(little)
            memory.copyBytes(from: bytes.reversed())
        #else
            memory.copyBytes(from: bytes)
        #endif
        return try body(memory)
    }

    /// - Parameter refusal: What to tell a caller whose values the library refuses; nil if none of them is a caller's.
    private static func build(
        _ parameters: [OSSL_PARAM], _ selection: Int32, type: StaticString = "EC", refusal: String? = nil
    ) throws(LibCryptoError) -> PKey {
        let context = try OpenSSL.check(
            "EVP_PKEY_CTX_new_from_name", EVP_PKEY_CTX_new_from_name(nil, "\(type)", nil))
        defer { EVP_PKEY_CTX_free(context) }
        try OpenSSL.check("EVP_PKEY_fromdata_init", EVP_PKEY_fromdata_init(context))
        var parameters = parameters
        var key: OpaquePointer?
        let status = EVP_PKEY_fromdata(context, &key, selection, &parameters)
        if let refusal, !OpenSSL.holds(status) { throw LibCryptoError(.invalidInput, refusal) }
        try OpenSSL.check("EVP_PKEY_fromdata", status)
        return PKey(owning: try OpenSSL.check("EVP_PKEY_fromdata", key))
    }
}

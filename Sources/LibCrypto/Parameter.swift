internal import CLibCrypto

/// Builds elements of OpenSSL parameter lists.
///
/// An element holds the address of its name, so names are `StaticString`s: a Swift `String` passed to the C constructor
/// lives only as long as that call.
enum Parameter {
    static func text(_ name: StaticString, _ value: StaticString) -> OSSL_PARAM {
        // The library only reads the value; the parameter is mutable because the type serves answers as well.
        OSSL_PARAM_construct_utf8_string(
            address(name), UnsafeMutablePointer(mutating: address(value)), value.utf8CodeUnitCount)
    }

    /// Bytes to be read by the library while `bytes` is lent.
    static func octets(_ name: StaticString, _ bytes: UnsafeRawBufferPointer) -> OSSL_PARAM {
        OSSL_PARAM_construct_octet_string(
            address(name), UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
    }

    /// A non-negative number in this machine's byte order, read or written by the library while `bytes` is lent.
    static func number(_ name: StaticString, _ bytes: UnsafeMutableRawBufferPointer) -> OSSL_PARAM {
        OSSL_PARAM_construct_BN(address(name), bytes.bytes, bytes.count)
    }

    static var end: OSSL_PARAM { OSSL_PARAM_construct_end() }

    private static func address(_ text: StaticString) -> UnsafePointer<CChar> {
        // A string literal is stored with its terminating zero.
        UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
    }
}

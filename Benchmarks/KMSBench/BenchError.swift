import CP11Kit

/// A yardstick could not be taken; the message names the call and its result.
struct BenchError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }

    /// Throws unless a PKCS #11 call answered CKR_OK.
    static func check(_ call: StaticString, _ result: CK_RV) throws {
        guard result == CKR_OK else { throw BenchError("\(call) answered 0x\(String(result, radix: 16))") }
    }
}

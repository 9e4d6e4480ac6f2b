internal import CLibCrypto

/// The one door to OpenSSL: every status and pointer it returns passes here.
///
/// The error queue is per thread, so it is read and emptied before the thread does anything else; a queue left full would
/// be taken for the reason of a later failure.
enum OpenSSL {
    /// Passes when `status` is positive.
    @inline(__always)
    static func check(_ call: StaticString, _ status: Int32) throws(LibCryptoError) {
        if status <= 0 { throw failure(call) }
    }

    /// Passes when the call gave an object.
    @inline(__always)
    static func check(_ call: StaticString, _ object: OpaquePointer?) throws(LibCryptoError) -> OpaquePointer {
        guard let object else { throw failure(call) }
        return object
    }

    /// Answers a call whose refusal is an ordinary outcome, such as a verification.
    @inline(__always)
    static func holds(_ status: Int32) -> Bool {
        if status == 1 { return true }
        ERR_clear_error()
        return false
    }

    /// Names the oldest queued reason, which is nearest to the cause, and empties the queue.
    ///
    /// Only OpenSSL's constant reason text is taken, never the data attached to it.
    @inline(never)
    static func failure(_ call: StaticString) -> LibCryptoError {
        let first = ERR_get_error()
        ERR_clear_error()
        let reason = first == 0 ? nil : ERR_reason_error_string(first).map { String(cString: $0) }
        return LibCryptoError(.internalFailure, "\(call) failed: \(reason ?? "no reason given").")
    }
}

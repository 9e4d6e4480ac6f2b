import CP11Kit
import Token

/// Distinguishes a refusal, which is an answer, from a loss, which is none.
extension TokenProbe {
    /// Runs what must fail.
    ///
    /// - Throws: `.deviceFailure` with `message` if it succeeds; the error itself if the session was lost instead.
    static func refused(_ message: String, _ body: () throws(HSMError) -> Void) throws(HSMError) {
        do throws(HSMError) {
            try body()
        } catch {
            guard !error.isLostSession else { throw error }
            return
        }
        throw wrong(message)
    }
}

extension HSMError {
    /// What the module returned, if the error comes from there.
    ///
    /// Every cause of an error that this target sees is a PKCS #11 module's.
    var returnValue: ReturnValue? { cause.map { ReturnValue(rawValue: UInt($0.code)) } }

    /// The session, the login or the device went away under the operation: nothing was learned, and what only looks
    /// may look again.
    var isLostSession: Bool {
        switch returnValue?.rawValue {
        case UInt(CKR_SESSION_HANDLE_INVALID), UInt(CKR_SESSION_CLOSED), UInt(CKR_USER_NOT_LOGGED_IN),
            UInt(CKR_CRYPTOKI_NOT_INITIALIZED), UInt(CKR_DEVICE_REMOVED), UInt(CKR_TOKEN_NOT_PRESENT):
            true
        default: false
        }
    }
}

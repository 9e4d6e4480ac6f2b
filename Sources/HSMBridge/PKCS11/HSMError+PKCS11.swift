import CP11Kit
import Token

extension HSMError {
    /// The error for a return value other than CKR_OK.
    ///
    /// Says what the value means in general; code that knows more (a bad tag on this token looks like a device error)
    /// refines it. Sections are of PKCS #11 2.40 base, 5.1.
    static func returned(_ value: ReturnValue, by function: StaticString) -> HSMError {
        let (code, meaning): (Code, String) =
            switch value.rawValue {
            case UInt(CKR_PIN_LOCKED):
                (.pinRefused, "the PIN is locked after wrong tries; its security officer unlocks it")
            case UInt(CKR_PIN_EXPIRED):
                (.pinRefused, "the PIN has expired; change it with the token's tool")
            case UInt(CKR_USER_PIN_NOT_INITIALIZED):
                (.pinRefused, "the token has no user PIN yet; its security officer sets one with the token's tool")
            case UInt(CKR_PIN_INCORRECT), UInt(CKR_PIN_INVALID), UInt(CKR_PIN_LEN_RANGE):
                (
                    .pinRefused,
                    "the token refuses the PIN. Correct what pin-source names before the next try: tokens lock themselves "
                        + "after a few wrong ones"
                )
            case UInt(CKR_OBJECT_HANDLE_INVALID), UInt(CKR_KEY_HANDLE_INVALID), UInt(CKR_WRAPPING_KEY_HANDLE_INVALID),
                UInt(CKR_UNWRAPPING_KEY_HANDLE_INVALID):
                (.keyMissing, "the key is no longer there")
            case _ where value.saysCannot:
                (.mechanismUnsupported, "the token cannot do this")
            case UInt(CKR_ENCRYPTED_DATA_INVALID), UInt(CKR_ENCRYPTED_DATA_LEN_RANGE), UInt(CKR_SIGNATURE_INVALID),
                UInt(CKR_SIGNATURE_LEN_RANGE), UInt(CKR_WRAPPED_KEY_INVALID), UInt(CKR_WRAPPED_KEY_LEN_RANGE):
                (.authenticationFailed, "the input is not authentic")
            case UInt(CKR_DATA_LEN_RANGE):
                (.inputTooLong, "the token takes no input of this length")
            case UInt(CKR_ARGUMENTS_BAD), UInt(CKR_DATA_INVALID):
                (.invalidArgument, "the token refuses the arguments")
            case UInt(CKR_HOST_MEMORY), UInt(CKR_DEVICE_MEMORY):
                (.overloaded, "out of memory")
            case UInt(CKR_SESSION_COUNT):
                (.overloaded, "all sessions of the token are taken; end other programs on it, or lower token-sessions")
            case UInt(CKR_SESSION_READ_WRITE_SO_EXISTS), UInt(CKR_USER_ANOTHER_ALREADY_LOGGED_IN),
                UInt(CKR_USER_TOO_MANY_TYPES):
                (.tokenUnavailable, "somebody else is logged in to the token, such as its security officer")
            case UInt(CKR_TOKEN_WRITE_PROTECTED), UInt(CKR_SESSION_READ_ONLY):
                (.deviceFailure, "the token is write-protected; kmsd makes keys and data on it")
            case UInt(CKR_USER_TYPE_INVALID):
                (
                    .configurationRefused,
                    "the token has no user who could log in, so it keeps no keys; name another one of `kmsd token list` in token-uri"
                )
            case UInt(CKR_SESSION_HANDLE_INVALID), UInt(CKR_SESSION_CLOSED), UInt(CKR_USER_NOT_LOGGED_IN),
                UInt(CKR_DEVICE_REMOVED), UInt(CKR_TOKEN_NOT_PRESENT), UInt(CKR_CRYPTOKI_NOT_INITIALIZED),
                UInt(CKR_TOKEN_NOT_RECOGNIZED), UInt(CKR_SLOT_ID_INVALID), UInt(CKR_DEVICE_ERROR):
                (.tokenUnavailable, "the token is out of reach")
            default:
                (.deviceFailure, "the token reports a failure")
            }
        return HSMError(
            code, "\(function) returned \(value.name): \(meaning).", cause: Cause(value, function: "\(function)"))
    }
}

extension HSMError.Cause {
    init(_ value: ReturnValue, function: String) {
        self.init(code: UInt64(value.rawValue), name: value.name, function: function)
    }
}

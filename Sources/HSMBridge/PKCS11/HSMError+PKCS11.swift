import CP11Kit

extension HSMError {
    /// The error for a return value other than CKR_OK.
    ///
    /// Says what the value means in general; code that knows more (a bad tag on this token looks like a device error)
    /// refines it. Sections are of PKCS #11 2.40 base, 5.1.
    static func returned(_ value: ReturnValue, by function: StaticString) -> HSMError {
        let (code, meaning): (Code, String) =
            switch value.rawValue {
            case UInt(CKR_PIN_INCORRECT), UInt(CKR_PIN_INVALID), UInt(CKR_PIN_LEN_RANGE), UInt(CKR_PIN_EXPIRED),
                UInt(CKR_PIN_LOCKED), UInt(CKR_USER_PIN_NOT_INITIALIZED):
                (
                    .pinRefused,
                    "the token refuses the PIN. Correct what pin-source names before the next try: tokens lock themselves "
                        + "after a few wrong ones"
                )
            case UInt(CKR_OBJECT_HANDLE_INVALID), UInt(CKR_KEY_HANDLE_INVALID), UInt(CKR_WRAPPING_KEY_HANDLE_INVALID),
                UInt(CKR_UNWRAPPING_KEY_HANDLE_INVALID):
                (.keyMissing, "the key is no longer there")
            case UInt(CKR_MECHANISM_INVALID), UInt(CKR_MECHANISM_PARAM_INVALID), UInt(CKR_FUNCTION_NOT_SUPPORTED),
                UInt(CKR_KEY_TYPE_INCONSISTENT), UInt(CKR_KEY_FUNCTION_NOT_PERMITTED), UInt(CKR_KEY_NOT_WRAPPABLE),
                UInt(CKR_KEY_UNEXTRACTABLE), UInt(CKR_CURVE_NOT_SUPPORTED), UInt(CKR_TEMPLATE_INCONSISTENT),
                UInt(CKR_ATTRIBUTE_TYPE_INVALID), UInt(CKR_ATTRIBUTE_VALUE_INVALID), UInt(CKR_KEY_SIZE_RANGE):
                (.mechanismUnsupported, "the token cannot do this")
            case UInt(CKR_ENCRYPTED_DATA_INVALID), UInt(CKR_ENCRYPTED_DATA_LEN_RANGE), UInt(CKR_SIGNATURE_INVALID),
                UInt(CKR_SIGNATURE_LEN_RANGE), UInt(CKR_WRAPPED_KEY_INVALID), UInt(CKR_WRAPPED_KEY_LEN_RANGE):
                (.authenticationFailed, "the input is not authentic")
            case UInt(CKR_ARGUMENTS_BAD), UInt(CKR_DATA_INVALID), UInt(CKR_DATA_LEN_RANGE):
                (.invalidArgument, "the token refuses the arguments")
            case UInt(CKR_HOST_MEMORY), UInt(CKR_DEVICE_MEMORY):
                (.overloaded, "out of memory")
            case UInt(CKR_SESSION_HANDLE_INVALID), UInt(CKR_SESSION_CLOSED), UInt(CKR_USER_NOT_LOGGED_IN),
                UInt(CKR_DEVICE_REMOVED), UInt(CKR_TOKEN_NOT_PRESENT), UInt(CKR_CRYPTOKI_NOT_INITIALIZED),
                UInt(CKR_TOKEN_NOT_RECOGNIZED), UInt(CKR_SLOT_ID_INVALID), UInt(CKR_DEVICE_ERROR):
                (.tokenUnavailable, "the token is out of reach")
            default:
                (.deviceFailure, "the token reports a failure")
            }
        return HSMError(
            code, "\(function) returned \(value.name): \(meaning).", cause: .pkcs11(value, function: "\(function)"))
    }
}

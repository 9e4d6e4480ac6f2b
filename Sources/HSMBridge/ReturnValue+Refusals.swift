internal import CP11Kit
import Token

/// The one list of what says "cannot": for making keys, bringing them in, wrapping and using them alike.
///
/// Modules answer the same question differently. A curve that a module lacks is CKR_CURVE_NOT_SUPPORTED by the standard,
/// CKR_DOMAIN_PARAMS_INVALID in NSS and CKR_GENERAL_ERROR in SoftHSM; a template attribute that it does not take is any of
/// four codes by the standard, and CKR_GENERAL_ERROR in NSS.
extension ReturnValue {
    /// Whether the module says that it does not do what was asked, now or later.
    public var saysCannot: Bool { Self.refusals.contains(rawValue) }

    /// Whether the module says that it does not have the mechanism that a kind of sealing key is used with. Narrower than
    /// ``saysCannot``: a template that is refused is the operator's decision, and no reason for another kind of key.
    func lacksMechanism(of kind: KeyKind, in function: String?) -> Bool {
        // SoftHSM has OAEP with SHA-1 only and calls any other hash a bad argument.
        if kind == .rsaSealSHA256, rawValue == UInt(CKR_ARGUMENTS_BAD), function == "C_DecryptInit" { return true }
        return Self.lacks.contains(rawValue)
    }

    private static let lacks: Set<UInt> = [
        UInt(CKR_MECHANISM_INVALID), UInt(CKR_MECHANISM_PARAM_INVALID), UInt(CKR_FUNCTION_NOT_SUPPORTED),
        UInt(CKR_KEY_SIZE_RANGE), UInt(CKR_CURVE_NOT_SUPPORTED), UInt(CKR_DOMAIN_PARAMS_INVALID),
    ]

    /// Whether some module answers this to what it cannot do and another one to a failure: only a second try, of
    /// something that must work, tells which.
    public var mayMeanCannot: Bool { rawValue == UInt(CKR_GENERAL_ERROR) || rawValue == UInt(CKR_FUNCTION_FAILED) }

    /// Whether the PIN was looked at and refused, so that another try with it may lock the token. Somebody else's login is none.
    var refusesPIN: Bool { Self.pinRefusals.contains(rawValue) }

    private static let pinRefusals: Set<UInt> = [
        UInt(CKR_PIN_INCORRECT), UInt(CKR_PIN_INVALID), UInt(CKR_PIN_LEN_RANGE), UInt(CKR_PIN_EXPIRED),
        UInt(CKR_PIN_LOCKED), UInt(CKR_USER_PIN_NOT_INITIALIZED),
    ]

    private static let refusals: Set<UInt> = [
        UInt(CKR_MECHANISM_INVALID), UInt(CKR_MECHANISM_PARAM_INVALID), UInt(CKR_FUNCTION_NOT_SUPPORTED),
        UInt(CKR_KEY_TYPE_INCONSISTENT), UInt(CKR_KEY_FUNCTION_NOT_PERMITTED), UInt(CKR_KEY_NOT_WRAPPABLE),
        UInt(CKR_KEY_UNEXTRACTABLE), UInt(CKR_KEY_SIZE_RANGE),
        UInt(CKR_CURVE_NOT_SUPPORTED), UInt(CKR_DOMAIN_PARAMS_INVALID),
        UInt(CKR_TEMPLATE_INCONSISTENT), UInt(CKR_TEMPLATE_INCOMPLETE), UInt(CKR_ATTRIBUTE_TYPE_INVALID),
        UInt(CKR_ATTRIBUTE_VALUE_INVALID), UInt(CKR_ATTRIBUTE_READ_ONLY), UInt(CKR_ACTION_PROHIBITED),
        UInt(CKR_WRAPPING_KEY_TYPE_INCONSISTENT), UInt(CKR_WRAPPING_KEY_SIZE_RANGE),
        UInt(CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT), UInt(CKR_UNWRAPPING_KEY_SIZE_RANGE),
        UInt(CKR_FUNCTION_REJECTED),
    ]
}

internal import CP11Kit

/// What a PKCS #11 function returned (`CK_RV`). Open: values nobody has heard of survive.
public struct ReturnValue: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public var rawValue: UInt

    public init(rawValue: UInt) { self.rawValue = rawValue }

    public static let ok = ReturnValue(rawValue: 0)

    /// The standard's spelling, such as `CKR_PIN_INCORRECT`; hexadecimal for an unknown value.
    public var name: String {
        if let name = Self.names[rawValue] { return name }
        let hexadecimal = "0x" + String(rawValue, radix: 16, uppercase: true)
        return rawValue >= 0x8000_0000 ? "CKR_VENDOR_DEFINED+" + hexadecimal : "CKR_" + hexadecimal
    }

    public var description: String { name }

    /// The value named by the standard's spelling.
    public init?(name: String) {
        guard let value = Self.names.first(where: { $0.value == name })?.key else { return nil }
        self.init(rawValue: value)
    }

    /// What the pool does after a call returned this value.
    public enum Recovery: Sendable, CaseIterable {
        /// Replace the session, retry once.
        case retrySession
        /// Find the key again once; missing means lost.
        case reResolve
        /// The login is over: log in once, resolve everything again.
        case reLogin
        /// The device or the module is gone: finalise, initialise, check who is there.
        case reconnect
        /// Either the input is bad or the device is: a known-answer test decides.
        case inputOrDevice
        /// Only a person can help; never retried.
        case `operator`
        /// Memory ran out: shed load.
        case shed
        /// The answer stands.
        case fatal
    }

    public var recovery: Recovery {
        switch rawValue {
        case UInt(CKR_SESSION_HANDLE_INVALID), UInt(CKR_SESSION_CLOSED), UInt(CKR_OPERATION_ACTIVE),
            UInt(CKR_OPERATION_NOT_INITIALIZED), UInt(CKR_FUNCTION_CANCELED), UInt(CKR_SESSION_READ_ONLY),
            UInt(CKR_CANCEL), UInt(CKR_BUFFER_TOO_SMALL), UInt(CKR_CANT_LOCK), UInt(CKR_MUTEX_BAD),
            UInt(CKR_MUTEX_NOT_LOCKED):
            .retrySession
        case UInt(CKR_OBJECT_HANDLE_INVALID), UInt(CKR_KEY_HANDLE_INVALID), UInt(CKR_WRAPPING_KEY_HANDLE_INVALID),
            UInt(CKR_UNWRAPPING_KEY_HANDLE_INVALID):
            .reResolve
        case UInt(CKR_USER_NOT_LOGGED_IN):
            .reLogin
        case UInt(CKR_DEVICE_REMOVED), UInt(CKR_TOKEN_NOT_PRESENT), UInt(CKR_DEVICE_ERROR),
            UInt(CKR_CRYPTOKI_NOT_INITIALIZED), UInt(CKR_TOKEN_NOT_RECOGNIZED), UInt(CKR_SLOT_ID_INVALID):
            .reconnect
        case UInt(CKR_GENERAL_ERROR), UInt(CKR_FUNCTION_FAILED):
            .inputOrDevice
        case UInt(CKR_PIN_INCORRECT), UInt(CKR_PIN_INVALID), UInt(CKR_PIN_LEN_RANGE), UInt(CKR_PIN_EXPIRED),
            UInt(CKR_PIN_LOCKED), UInt(CKR_USER_PIN_NOT_INITIALIZED), UInt(CKR_USER_ANOTHER_ALREADY_LOGGED_IN),
            UInt(CKR_USER_TOO_MANY_TYPES), UInt(CKR_TOKEN_WRITE_PROTECTED):
            .operator
        case UInt(CKR_HOST_MEMORY), UInt(CKR_DEVICE_MEMORY), UInt(CKR_SESSION_COUNT):
            .shed
        default:
            .fatal
        }
    }
}

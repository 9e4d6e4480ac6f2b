import HSMBridge
import Testing
import Token

@Suite(.timeLimit(.minutes(10))) struct ReturnValueTests {
    @Test func namesAreTheStandards() {
        #expect(ReturnValue(rawValue: 0).name == "CKR_OK")
        #expect(ReturnValue(rawValue: 0xA0).name == "CKR_PIN_INCORRECT")
        #expect(ReturnValue(rawValue: 0x101).name == "CKR_USER_NOT_LOGGED_IN")
        #expect(ReturnValue(name: "CKR_DEVICE_REMOVED")?.rawValue == 0x32)
    }

    @Test func unknownValuesSurvive() {
        #expect(ReturnValue(rawValue: 0x8000_0042).name == "CKR_VENDOR_DEFINED+0x80000042")
        #expect(ReturnValue(rawValue: 0x7777).name == "CKR_0x7777")
        #expect(ReturnValue(rawValue: 0x7777).recovery == .fatal)
    }

    @Test(arguments: [
        ("CKR_SESSION_HANDLE_INVALID", ReturnValue.Recovery.retrySession), ("CKR_OPERATION_ACTIVE", .retrySession),
        ("CKR_KEY_HANDLE_INVALID", .reResolve), ("CKR_USER_NOT_LOGGED_IN", .reLogin),
        ("CKR_DEVICE_REMOVED", .reconnect), ("CKR_CRYPTOKI_NOT_INITIALIZED", .reconnect),
        ("CKR_GENERAL_ERROR", .inputOrDevice), ("CKR_FUNCTION_FAILED", .inputOrDevice),
        ("CKR_PIN_INCORRECT", .operator), ("CKR_PIN_LOCKED", .operator), ("CKR_PIN_EXPIRED", .operator),
        ("CKR_DEVICE_MEMORY", .shed), ("CKR_MECHANISM_INVALID", .fatal),
    ])
    func recoveryFollowsTheTable(name: String, recovery: ReturnValue.Recovery) {
        #expect(ReturnValue(name: name)?.recovery == recovery)
    }

    /// One list for making, bringing in, wrapping and using: what each module was seen to answer.
    @Test(arguments: [
        ("NSS: an unknown curve", "CKR_DOMAIN_PARAMS_INVALID", true, false),
        ("the standard: an unknown curve", "CKR_CURVE_NOT_SUPPORTED", true, false),
        ("SoftHSM: an unknown curve; NSS: CKA_ALLOWED_MECHANISMS", "CKR_GENERAL_ERROR", false, true),
        ("SoftHSM: a derivation of another length", "CKR_FUNCTION_FAILED", false, true),
        ("NSS: Ed25519, an explicit curve", "CKR_MECHANISM_INVALID", true, false),
        ("NSS: a private EC key without its point", "CKR_TEMPLATE_INCOMPLETE", true, false),
        ("NSS: data objects", "CKR_ATTRIBUTE_VALUE_INVALID", true, false),
        ("opencryptoki: unknown attributes", "CKR_ATTRIBUTE_TYPE_INVALID", true, false),
        ("SoftHSM: an attribute after CKA_MODIFIABLE", "CKR_ATTRIBUTE_READ_ONLY", true, false),
        ("tpm2-pkcs11: C_GenerateKey, C_WrapKey", "CKR_FUNCTION_NOT_SUPPORTED", true, false),
        ("SoftHSM: Ed25519 under RFC 5649", "CKR_KEY_NOT_WRAPPABLE", true, false),
        ("a wrapping key of another kind", "CKR_WRAPPING_KEY_TYPE_INCONSISTENT", true, false),
        ("an unwrapping key of another kind", "CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT", true, false),
        ("a pulled token", "CKR_DEVICE_REMOVED", false, false), ("p11-kit's server", "CKR_DEVICE_ERROR", false, false),
        ("memory", "CKR_HOST_MEMORY", false, false), ("a wrong PIN", "CKR_PIN_INCORRECT", false, false),
    ])
    func oneListSaysCannot(_ seen: String, name: String, cannot: Bool, may: Bool) throws {
        let value = try #require(ReturnValue(name: name))
        #expect(value.saysCannot == cannot && value.mayMeanCannot == may, "\(seen)")
    }

    /// A PIN error must never lead to another attempt.
    @Test func noPINErrorIsEverRetried() {
        for name in ["CKR_PIN_INCORRECT", "CKR_PIN_INVALID", "CKR_PIN_LEN_RANGE", "CKR_PIN_EXPIRED", "CKR_PIN_LOCKED"] {
            #expect(ReturnValue(name: name)?.recovery == .operator)
        }
    }
}

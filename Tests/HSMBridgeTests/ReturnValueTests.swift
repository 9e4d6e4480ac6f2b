import HSMBridge
import Testing

@Suite struct ReturnValueTests {
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

    /// A PIN error must never lead to another attempt.
    @Test func noPINErrorIsEverRetried() {
        for name in ["CKR_PIN_INCORRECT", "CKR_PIN_INVALID", "CKR_PIN_LEN_RANGE", "CKR_PIN_EXPIRED", "CKR_PIN_LOCKED"] {
            #expect(ReturnValue(name: name)?.recovery == .operator)
        }
    }
}

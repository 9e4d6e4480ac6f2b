import Testing

@testable import TPMBridge

@Suite(.timeLimit(.minutes(10))) struct TPMResponseTests {
    @Test func layersAndSubjectsAreTakenApart() {
        #expect(TPMResponse(rawValue: 0x98E).name == "TPM_RC_AUTH_FAIL (session 1)")
        #expect(TPMResponse(rawValue: 0x1C4).name == "TPM_RC_VALUE (parameter 1)")
        #expect(TPMResponse(rawValue: 0x18B).name == "TPM_RC_HANDLE (handle 1)")
        #expect(TPMResponse(rawValue: 0x902).name == "TPM_RC_OBJECT_MEMORY")
        #expect(TPMResponse(rawValue: 0x000A_000A).name == "TSS2_TCTI_RC_IO_ERROR")
        #expect(TPMResponse(rawValue: 0x0007_0007).name == "TSS2_ESYS_RC_BAD_SEQUENCE")
        #expect(TPMResponse(rawValue: 0x000B_0902).name == "TPM_RC_OBJECT_MEMORY")
        #expect(TPMResponse(rawValue: 0x0055_1234).layer == .unknown(0x55))
        #expect(TPMResponse(rawValue: 0x9FF).name.hasPrefix("TPM_RC_"))
    }

    @Test(
        arguments: [
            (0x922, TPMRecovery.wait), (0x908, .wait), (0x90A, .wait), (0x920, .wait), (0x902, .flush), (0x903, .flush),
            (0x100, .reopen), (0x910, .reopen), (0x918, .reopen), (0x18B, .reopen), (0x98E, .reopen),
            (0x921, .lockedOut),
            (0x101, .lost), (0x99D, .operator), (0x0A_000A, .reopen), (0x07_0007, .lost), (0x07_001B, .lost),
            (0x1C4, .fatal), (0x1DF, .fatal), (0x0B_0902, .flush),
        ] as [(UInt32, TPMRecovery)])
    func eachCodeHasOneMeaning(_ code: UInt32, _ recovery: TPMRecovery) {
        #expect(TPMRecovery(TPMResponse(rawValue: code)) == recovery)
    }
}

import Testing
import Token

@testable import Keystores

@Suite("Errors", .timeLimit(.minutes(10))) struct KMSErrorTests {
    @Test func noCodeRepeats() {
        #expect(Set(KMSError.Code.allCases).count == KMSError.Code.allCases.count)
    }

    /// A size is the caller's; what a device says against arguments of ours is its limit; only our own mistakes are ours.
    @Test func noLimitOfADeviceIsAFailureOfOurs() {
        let cause = HSMError.Cause(code: 7, name: "CKR_ARGUMENTS_BAD", function: "C_Sign")
        let told = HSMError(.invalidArgument, "No.", cause: cause)
        let cases: [(HSMError, KMSError.Code)] = [
            (HSMError(.inputTooLong, "Too long."), .invalidArgument), (told, .mechanismUnsupported),
            (HSMError(.mechanismUnsupported, "No."), .mechanismUnsupported),
            (HSMError(.deadlineExceeded, "Late."), .deadlineExceeded),
            (HSMError(.deviceFailure, "No."), .tokenUnavailable),
            (HSMError(.invalidArgument, "Ours."), .internal),
        ]
        for (error, code) in cases {
            let translated = KMSError.translate(error)
            #expect(translated.code == code, "\(error)")
        }
        #expect(KMSError.translate(HSMError(.inputTooLong, "Too long.")).message.contains("length"))
    }
}

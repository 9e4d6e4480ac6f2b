import Keystores
import Testing

@Suite("Errors") struct KMSErrorTests {
    @Test("Every code has an HTTP status of its kind", arguments: KMSError.Code.allCases)
    func statuses(code: KMSError.Code) {
        #expect((400...599).contains(code.httpStatus))
        #expect(code.isRetryable == [502, 503, 504].contains(code.httpStatus))
        // Only `internal` may rely on the fallback's value.
        #expect(code.httpStatus != 500 || code == .internal)
    }

    @Test("No code repeats") func unique() {
        #expect(Set(KMSError.Code.allCases).count == KMSError.Code.allCases.count)
    }
}

import Testing

@testable import HTTPAPI

@Suite(.timeLimit(.minutes(10))) struct QueryTests {
    @Test("Query parameters are decoded once and refused twice")
    func queryParametersAreDecodedOnceAndRefusedTwice() throws {
        let query = try QueryParameters("limit=5&controller=did%3Aexample%3Aa%20b+c", allowed: ["limit", "controller"])
        #expect(query["controller"] == "did:example:a b c")
        #expect(try query.number("limit", in: 1...10) == 5)
        for text in ["limit=1&limit=2", "other=1", "limit", "limit=%", "limit=%zz", "limit=%ff", "limit=1&"] {
            #expect(throws: RequestError.self) { try QueryParameters(text[...], allowed: ["limit"]) }
        }
        for text in ["", "-1", "+1", "1e3", "0", "11", "99999999999999999999", "1.5"] {
            let query = try QueryParameters("limit=\(text)"[...].replacing("+", with: "%2B")[...], allowed: ["limit"])
            #expect(throws: RequestError.self) { try query.number("limit", in: 1...10) }
        }
    }
}

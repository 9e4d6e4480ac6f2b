import Testing

@testable import Capabilities

@Suite(.timeLimit(.minutes(10))) struct SignatureParametersTests {
    private func parameters(_ header: String) throws -> SignatureParameters {
        try SignatureParameters(Array(header.utf8))
    }

    @Test func valuesAreFoundWithAndWithoutQuotes() throws {
        let parameters = try parameters("keyId=\"a,b=c\", created=12 ,\theaders =\"\",é=\"ü\"")
        #expect(parameters.text("keyId") == "a,b=c")
        #expect(parameters.text("created") == "12 ")
        #expect(parameters.text("headers") == "")
        #expect(parameters.text("é") == "ü")
        #expect(parameters.text("keyid") == nil)
        #expect(parameters.bytes("expires") == nil)
        #expect(try self.parameters("").text("") == nil)
    }

    @Test(arguments: [
        "keyId", "keyId=\"a", "keyId=\"a\" x", "keyId=\"a\"created=1", "keyId=a,keyId=a", "keyId=a, keyId =b", ",",
    ])
    func whatIsNoListIsRefused(_ header: String) { #expect(throws: CapabilityError.self) { try parameters(header) } }

    @Test func thereAreAtMostThirtyTwo() throws {
        let many = (0..<32).map { "p\($0)=\($0)" }.joined(separator: ",")
        #expect(try parameters(many).text("p31") == "31")
        #expect(throws: CapabilityError.self) { try parameters(many + ",q=1") }
    }
}

import TestSupport
import Testing

@testable import RemoteLocks

/// Vectors of AWS's Signature Version 4 test suite.
@Suite(.timeLimit(.minutes(10))) struct AWSSignatureTests {
    private static let time: Int64 = 1_440_938_160
    private static let date = "20150830T123600Z"

    private func signature(
        _ method: String, _ headers: [(name: String, value: String)] = [], body: String = ""
    ) throws -> String {
        let credentials = AWSCredentials(
            accessKey: "AKIDEXAMPLE", secretKey: try secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"))
        let signer = AWSSignature(credentials: credentials, region: "us-east-1", service: "service", time: Self.time)
        #expect(signer.timestamp == Self.date)
        let added = try signer.headers(
            method: method, path: "/", headers: [(name: "Host", value: "example.amazonaws.com")] + headers,
            body: Array(body.utf8))
        let authorization = try #require(added.first { $0.name == "Authorization" }?.value)
        #expect(authorization.contains("Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request,"))
        return try #require(authorization.split(separator: "=").last.map(String.init))
    }

    @Test func theVanillaRequestsOfAWSHaveTheirPublishedSignatures() throws {
        #expect(try signature("GET") == "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31")
        #expect(try signature("POST") == "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b")
    }

    @Test func aBodyAndItsType() throws {
        let type = (name: "Content-Type", value: "application/x-www-form-urlencoded")
        #expect(
            try signature("POST", [type], body: "Param1=value1")
                == "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a")
    }

    @Test func headersAreSortedAndFolded() throws {
        #expect(
            try signature("POST", [(name: "My-Header1", value: "value1")])
                == "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c")
        #expect(
            try signature("POST", [(name: "My-Header1", value: "VALUE1")])
                == "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d")
        #expect(
            try signature(
                "GET", [(name: "My-Header1", value: " value1"), (name: "My-Header2", value: "\"a   b   c\"")])
                == "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736")
    }

    @Test(arguments: [
        (Int64(0), "19700101T000000Z"), (951_782_400, "20000229T000000Z"), (1_709_251_199, "20240229T235959Z"),
        (4_107_542_400, "21000301T000000Z"), (1_440_938_160, "20150830T123600Z"),
    ])
    func datesAreThoseOfTheCalendar(_ time: Int64, _ text: String) throws {
        let credentials = AWSCredentials(accessKey: "A", secretKey: try secret("s"))
        let signer = AWSSignature(credentials: credentials, region: "r", service: "s", time: time)
        #expect(signer.timestamp == text)
    }
}

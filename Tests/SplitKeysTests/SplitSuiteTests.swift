import Pairing
import SecretMemory
import Testing

@testable import SplitKeys

@Suite(.timeLimit(.minutes(10))) struct SplitSuiteTests {
    @Test func suitesAreToldApartByNameAndByEveryLength() throws {
        let suites = SplitSuite.allCases
        #expect(suites.map(\.rawValue) == ["bls0chain", "bls12381-min-sig", "bls-tpm-bn256"])
        #expect(Set(suites).count == suites.count)
        #expect(Set(suites.map(\.publicKeyLength)).count == suites.count)
        #expect(Set(suites.map(\.signatureLength)).count == suites.count)
        for suite in suites {
            #expect(SplitSuite(rawValue: suite.rawValue) == suite)
            #expect(try SplitSuite(publicKeyLength: suite.publicKeyLength) == suite)
        }
        #expect(SplitSuite(rawValue: "bls0chain\u{301}") == nil && SplitSuite(rawValue: "BLS0CHAIN") == nil)
        #expect(throws: SplitKeyError.self) { try SplitSuite(publicKeyLength: 63) }
    }

    @Test(arguments: SplitSuite.allCases) func theStatedLengthsAreThoseOfKeysAndSignatures(_ suite: SplitSuite) throws {
        let secret = try suite.generate()
        let key = try suite.publicKey(of: secret, operand: "secret")
        #expect(key.count == suite.publicKeyLength)
        let signature = try secret.withUnsafeBytes { try suite.scheme.sign([1, 2, 3], purpose: "msg", secretKey: $0) }
        #expect(signature.count == suite.signatureLength)
        #expect(try suite.scheme.verify(signature, [1, 2, 3], purpose: "msg", publicKey: key))
        #expect(try !suite.scheme.verify(signature, [1, 2, 4], purpose: "msg", publicKey: key))
        // Only 0Chain's messages have no room for a purpose.
        #expect(
            try suite.scheme.verify(signature, [1, 2, 3], purpose: "txn", publicKey: key) == (suite == .bls0chain))
    }

    @Test(arguments: SplitSuite.allCases) func partsOfASecretAddUpToItsKey(_ suite: SplitSuite) throws {
        let secret = try suite.generate()
        let (scalar, rest) = try suite.divide(secret)
        let keys = try [scalar, rest, secret].map { try suite.publicKey(of: $0, operand: "part") }
        #expect(try suite.sum(keys[0], keys[1]) == keys[2])
        #expect(keys[0] != keys[1])
        #expect(try suite.difference(secret, secret) == nil)
    }
}

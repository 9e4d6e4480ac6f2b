import Encodings
import Foundation
import Testing

@testable import Decryption

@Suite("A user's typed signature, as eth-account makes it", .timeLimit(.minutes(10)))
struct UserAuthorizationTests {
    private static func authorization(_ item: VectorFile.Object) throws -> UserAuthorization? {
        let (domain, message) = (try item.object("domain"), try item.object("message"))
        let scheme: UserAuthorization.Scheme
        switch try item.text("primary_type") {
        case "Reencrypt": scheme = .legacyReencrypt
        case "UserDecryptRequestVerification": scheme = .userDecryptRequest
        default: return nil
        }
        // A chain id above 2^64 has no place in the message.
        guard let chain = (domain["chainId"] as? NSNumber).flatMap({ UInt64("\($0)") }) else { return nil }
        var authorization = UserAuthorization(
            scheme: scheme, chainID: chain, verifyingContract: try domain.hex("verifyingContract"),
            signature: try item.hex("signature"))
        if scheme == .userDecryptRequest {
            authorization.contractAddresses = try (message["contractAddresses"] as? [String] ?? []).map {
                try #require(Hexadecimal.decode(String($0.dropFirst(2)), .either))
            }
            authorization.start = try message.number("startTimestamp")
            authorization.durationDays = UInt32(try message.number("durationDays"))
            authorization.extraData = message["extraData"] == nil ? [] : try message.hex("extraData")
        }
        return authorization
    }

    private static func domain(_ authorization: UserAuthorization) -> UserAuthorization.Domain {
        UserAuthorization.Domain(chainID: authorization.chainID, contract: authorization.verifyingContract)
    }

    @Test("Hashes and signers come out; signatures that a client has spoilt lead to somebody else")
    func hashesAndSignersComeOutAsInTheVectors() throws {
        var count = 0
        for item in try VectorFile.cases("strangers-eip712.json") {
            guard var authorization = try Self.authorization(item) else { continue }
            let isSpoilt = try item.text("name").contains("NOT")
            let key = try item.object("message").hex("publicKey")
            let signer = try item.hex("signer")
            count += 1
            if !isSpoilt {
                #expect(authorization.domainSeparator == (try item.hex("domain_separator")))
                #expect(authorization.structHash(encryptionKey: key) == (try item.hex("struct_hash")))
                #expect(authorization.digest(encryptionKey: key) == (try item.hex("digest")))
            }
            // A start above what a clock shows has a window all the same.
            let now = authorization.start
            for name in ["signature", "signature_v01"] where item[name] != nil {
                authorization.signature = try item.hex(name)
                let found = try authorization.signer(
                    encryptionKey: key, domain: Self.domain(authorization), now: now)
                #expect((found == signer) == !isSpoilt)
            }
            guard item["signature_high_s"] != nil else { continue }
            authorization.signature = try item.hex("signature_high_s")
            #expect {
                try authorization.signer(encryptionKey: key, domain: Self.domain(authorization), now: now)
            } throws: { ($0 as? DecryptionError)?.reason == "high-s" }
        }
        #expect(count >= 7)
    }

    private static func permit() throws -> (UserAuthorization, [UInt8]) {
        for item in try VectorFile.cases("strangers-eip712.json") where try item.text("name") == "one contract" {
            if let authorization = try authorization(item) {
                return (authorization, try item.object("message").hex("publicKey"))
            }
        }
        throw VectorFile.Missing(name: "one contract")
    }

    private func reason(_ authorization: UserAuthorization, _ key: [UInt8], now: UInt64? = nil) -> String? {
        do throws(DecryptionError) {
            _ = try authorization.signer(
                encryptionKey: key, domain: Self.domain(authorization), now: now ?? authorization.start)
            return nil
        } catch { return error.reason }
    }

    @Test("It holds from its start to before its end, and not for more than a year")
    func itHoldsFromItsStartToBeforeItsEndAndNotForMoreThanAYear() throws {
        var (authorization, key) = try Self.permit()
        let end = authorization.start + UInt64(authorization.durationDays) * 86_400
        #expect(reason(authorization, key) == nil)
        #expect(reason(authorization, key, now: end - 1) == nil)
        #expect(reason(authorization, key, now: end) == "authorization-expired")
        #expect(reason(authorization, key, now: authorization.start - 1) == "authorization-early")
        authorization.durationDays = 366
        #expect(reason(authorization, key) == "malformed-authorization")
        authorization.durationDays = 0
        #expect(reason(authorization, key) == "malformed-authorization")
        (authorization.durationDays, authorization.start) = (1, .max)
        #expect(reason(authorization, key) == "malformed-authorization")
    }

    @Test("Addresses and signatures of another length, and another v, are refused")
    func addressesAndSignaturesOfAnotherLengthAndAnotherVAreRefused() throws {
        let (right, key) = try Self.permit()
        var authorization = right
        authorization.verifyingContract.removeLast()
        #expect(reason(authorization, key) == "malformed-authorization")
        authorization = right
        authorization.contractAddresses[0].append(0)
        #expect(reason(authorization, key) == "malformed-authorization")
        authorization = right
        authorization.signature.removeLast()
        #expect(reason(authorization, key) == "malformed-authorization")
        authorization = right
        authorization.signature[64] = 35
        #expect(reason(authorization, key) == "malformed-authorization")
    }

    @Test("One for another chain or contract is refused, and the refusal names both")
    func oneForAnotherChainOrContractIsRefusedAndTheRefusalNamesBoth() throws {
        let (authorization, key) = try Self.permit()
        for domain in [
            UserAuthorization.Domain(chainID: authorization.chainID + 1, contract: authorization.verifyingContract),
            UserAuthorization.Domain(chainID: authorization.chainID, contract: [UInt8](repeating: 7, count: 20)),
        ] {
            #expect {
                try authorization.signer(encryptionKey: key, domain: domain, now: authorization.start)
            } throws: { error in
                let error = error as? DecryptionError
                return error?.reason == "authorization-domain" && error?.message.contains("11155111") == true
            }
        }
    }
}

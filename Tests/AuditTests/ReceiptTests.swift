import Encodings
import Foundation
import HSMBridge
import TestSupport
import TestTokens
import Testing
import Token

@testable import Audit

@Suite(.timeLimit(.minutes(10))) struct ReceiptTests {
    private static func receipt(_ signature: [UInt8] = []) throws -> Receipt {
        try Receipt(
            policyHash: [UInt8](repeating: 1, count: 32), restrictions: ["b", "a", "b", "é"],
            subject: "split:c:\u{1B}k",
            messageHash: [UInt8](repeating: 2, count: 32),
            record: AuditPosition(index: 7, hash: [UInt8](repeating: 3, count: 32)), time: 1_767_225_600_123,
            keyFingerprint: String(repeating: "ab", count: 32), signature: signature)
    }

    /// The form must not change: receipts are checked years later.
    @Test func theFormIsGolden() throws {
        let receipt = try Self.receipt([UInt8](repeating: 4, count: 64))
        let hash = { (byte: String) in String(repeating: byte, count: 32) }
        #expect(
            receipt.json
                == "{\"index\":7,\"key\":\"\(hash("ab"))\",\"message\":\"\(hash("02"))\",\"policy\":\"\(hash("01"))\","
                + "\"record\":\"\(hash("03"))\",\"restrictions\":[\"a\",\"b\",\"\\u00e9\"],\"signature\":\"\(hash("0404"))\","
                + "\"subject\":\"split:c:\\u001bk\",\"time\":1767225600123,\"version\":1}")
        // SHA-256 of the bytes that are signed, computed by another program from docs/FORMATS.md.
        #expect(Hexadecimal.encode(try AuditRecord.hash(receipt.encoded)) == Self.golden)
        #expect(try Receipt(json: Array(receipt.json.utf8)) == receipt)
        #expect(try Receipt(json: Array((receipt.json + "\n").utf8)) == receipt)
    }

    private static let golden = "b757fb8977c7841109378a009cb18dc782ff3cd56325a167c57a96a595172acc"

    @Test func theAuditKeySigns() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let issued = try await ReceiptIssuer(token: token).issue(
            policyHash: [UInt8](repeating: 1, count: 32), restrictions: ["x"], subject: "s",
            messageHash: [UInt8](repeating: 2, count: 32),
            record: AuditPosition(index: 9, hash: [UInt8](repeating: 3, count: 32)))
        let key = try AuditPublicKey(
            subjectPublicKeyInfo: try await token.publicKey(of: .audit).subjectPublicKeyInfo)
        #expect(issued.verifies(with: key))
        // By a program that shares no code with ours.
        let folder = try ScratchDirectory.make("receipt").path
        try Data(key.pem.utf8).write(to: URL(fileURLWithPath: folder + "/key.pem"))
        let der = try #require(Self.der(issued.signature))
        try Data(der).write(to: URL(fileURLWithPath: folder + "/signature"))
        _ = try OpenSSLCommand.output(
            ["dgst", "-sha256", "-verify", folder + "/key.pem", "-signature", folder + "/signature"],
            input: issued.encoded)
        await token.shutdown()
    }

    private static func der(_ signature: [UInt8]) -> [UInt8]? {
        guard signature.count == 64 else { return nil }
        func integer(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
            var digits = Array(bytes.drop { $0 == 0 })
            if digits.first.map({ $0 >= 0x80 }) ?? true { digits.insert(0, at: 0) }
            return [2, UInt8(digits.count)] + digits
        }
        let body = integer(signature[..<32]) + integer(signature[32...])
        return [0x30, UInt8(body.count)] + body
    }

    @Test func badShapesAreRefused() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let issuer = ReceiptIssuer(token: token)
        let good = [UInt8](repeating: 1, count: 32)
        for (policy, message, index) in [
            (good.dropLast(), good[...], 1), (good[...], [], 1), (good[...], good[...], 0),
        ] {
            await #expect {
                _ = try await issuer.issue(
                    policyHash: Array(policy), restrictions: [], subject: "", messageHash: Array(message),
                    record: AuditPosition(index: UInt64(index), hash: good))
            } throws: {
                ($0 as? AuditError)?.code == .invalidArgument
            }
        }
        await token.shutdown()
        await #expect {
            _ = try await issuer.issue(
                policyHash: good, restrictions: [], subject: "", messageHash: good,
                record: AuditPosition(index: 1, hash: good))
        } throws: {
            ($0 as? AuditError)?.code == .unavailable
        }
    }

    @Test func mutatedReceiptsNeverVerify() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let issued = try await ReceiptIssuer(token: token).issue(
            policyHash: [UInt8](repeating: 1, count: 32), restrictions: ["x", "y"], subject: "s",
            messageHash: [UInt8](repeating: 2, count: 32),
            record: AuditPosition(index: 9, hash: [UInt8](repeating: 3, count: 32)))
        let key = try AuditPublicKey(
            subjectPublicKeyInfo: try await token.publicKey(of: .audit).subjectPublicKeyInfo)
        var mutator = Mutator(seed: 45)
        let json = Array(issued.json.utf8)
        for _ in 0..<5_000 {
            let mutated = mutator.mutate(json)
            guard mutated != json, let read = try? Receipt(json: mutated), read != issued else { continue }
            #expect(!read.verifies(with: key))
        }
        await token.shutdown()
    }
}

import Foundation
import HSMBridge
import TestSupport
import TestTokens
import Testing
import Token

/// `probe()` and `lint()` as the command line calls them, on a token that strangers write to.
@Suite(.timeLimit(.minutes(10))) struct InspectionTests {
    /// Lets pkcs11-tool do something as the logged-in user.
    private func tool(_ token: SoftHSMToken, _ arguments: [String]) throws {
        try Command.succeed(
            "pkcs11-tool",
            ["--module", token.modulePath, "--token-label", token.label, "--login", "--pin", "env:TEST_PIN"]
                + arguments,
            environment: token.environment.merging(["TEST_PIN": token.pin()]) { _, new in new })
    }

    private func attributes(_ report: LintReport, _ label: String) -> Set<String> {
        Set(report.objects.filter { $0.label == label }.flatMap(\.findings).map(\.attribute))
    }

    private func withToken<R>(
        _ token: SoftHSMToken, provisioned: Bool, _ body: (PKCS11Token) async throws -> R
    ) async throws -> R {
        let client = PKCS11Token(configuration: token.configuration())
        client.start()
        do {
            try await client.waitUntilReady(timeout: .seconds(120))
            if provisioned { _ = try await client.provision(instance: TokenManifest.makeInstance()) }
            let result = try await body(client)
            await client.shutdown()
            return result
        } catch {
            await client.shutdown()
            throw error
        }
    }

    @Test func theDaemonsOwnKeysHaveNoFinding() async throws {
        let token = try SoftHSMToken.make()
        try await withToken(token, provisioned: true) { client in
            let report = try await client.lint()
            #expect(report.grade == .ok, "\(report.objects.filter { $0.grade != .ok }) \(report.findings)")
            #expect(report.objects.count == KeyRole.allCases.count, "public halves are in the manifest")
            #expect(report.objects.count { $0.isManaged } == report.objects.count)
            #expect(report.token.serial == token.serial)
        }
    }

    /// What a stranger can put on the token, each with the attribute that must be named.
    @Test func keysMadeByStrangersAreNamed() async throws {
        let token = try SoftHSMToken.make()
        try await withToken(token, provisioned: true) { client in
            let instance = try #require(client.manifest?.instance)
            let file = token.pinFile.path + ".aes"
            try Data((0..<32).map { UInt8($0) }).write(to: URL(fileURLWithPath: file))
            defer { try? FileManager.default.removeItem(atPath: file) }
            let imported = ["--write-object", file, "--type", "secrkey", "--key-type", "AES:32"]
            try tool(token, imported + ["--label", "readable", "--private", "--extractable"])
            try tool(token, imported + ["--label", "public", "--sensitive"])
            try tool(token, imported + ["--label", "wraps-decrypts", "--private", "--sensitive", "--usage-wrap"])
            try tool(
                token, ["--keygen", "--key-type", "AES:32", "--label", "kmsd/\(instance)/root-lock/2", "--sensitive"])
            try tool(
                token, ["--keypairgen", "--key-type", "EC:prime256v1", "--label", "pair", "--id", "77", "--usage-sign"])
            try tool(
                token, ["--keypairgen", "--key-type", "EC:prime256v1", "--label", "twin", "--id", "77", "--usage-sign"])
            try tool(
                token,
                [
                    "--keypairgen", "--key-type", "EC:prime256v1", "--label", "both", "--id", "78", "--usage-sign",
                    "--usage-derive",
                ])
            let report = try await client.lint()
            #expect(report.grade == .bad)
            #expect(attributes(report, "readable").isSuperset(of: ["CKA_EXTRACTABLE", "CKA_SENSITIVE"]))
            #expect(attributes(report, "readable").isSuperset(of: ["CKA_MODIFIABLE", "CKA_ALLOWED_MECHANISMS"]))
            #expect(attributes(report, "public").contains("CKA_PRIVATE"))
            #expect(
                attributes(report, "wraps-decrypts").isSuperset(of: [
                    "CKA_WRAP+CKA_DECRYPT", "CKA_UNWRAP+CKA_ENCRYPT", "CKA_WRAP", "CKA_UNWRAP_TEMPLATE",
                ]))
            #expect(!attributes(report, "wraps-decrypts").contains("CKA_EXTRACTABLE"))
            #expect(attributes(report, "kmsd/\(instance)/root-lock/2").contains("CKA_LABEL"))
            #expect(attributes(report, "pair").contains("CKA_ID"))
            #expect(attributes(report, "twin").contains("CKA_ID"))
            #expect(attributes(report, "both").contains("CKA_SIGN+CKA_DERIVE"))
            #expect(report.objects.filter { $0.isManaged && $0.grade != .ok }.isEmpty)
        }
    }

    /// The report is for machines too: grades must be in its JSON.
    @Test func reportsSurviveJSON() async throws {
        try await withToken(try SoftHSMToken.make(), provisioned: true) { client in
            let lint = try await client.lint()
            let text = try JSONEncoder().encode(lint)
            let read = try JSONDecoder().decode(LintReport.self, from: text)
            #expect(read == lint)
            #expect(String(decoding: text, as: UTF8.self).contains("\"grade\":\"ok\""))
            let probe = try await client.probe()
            let again = try JSONDecoder().decode(ProbeReport.self, from: try JSONEncoder().encode(probe))
            #expect(again == probe)
            #expect(probe["aes-256-gcm"]?.outcome == .ok)
            let after = try await client.lint()
            #expect(after == lint, "the probe left something behind")
        }
    }

    /// An unprovisioned token can be looked at, and a token that is not there cannot.
    @Test func inspectionNeedsATokenButNoManifest() async throws {
        try await withToken(try SoftHSMToken.make(), provisioned: false) { client in
            let report = try await client.lint()
            #expect(report.objects.isEmpty)
        }
        let client = PKCS11Token(configuration: try SoftHSMToken.make().configuration())
        do throws(HSMError) {
            _ = try await client.lint()
            Issue.record("a token was inspected that was never started")
        } catch {
            #expect(error.code == .tokenUnavailable)
        }
    }

    /// A connection renewed in the middle costs another look, and no false finding.
    @Test(arguments: ["CKR_SESSION_HANDLE_INVALID", "CKR_USER_NOT_LOGGED_IN"])
    func aLostSessionIsNoFinding(name: String) async throws {
        let token = try SoftHSMToken.make()
        let faults = FaultPlan()
        let client = try await token.provisioned(faults: faults)
        let value = try #require(ReturnValue(name: name))
        let clean = try await client.lint()
        faults.fail("C_GetAttributeValue", .nth(20), with: value)
        let lint = try await client.lint()
        #expect(lint == clean)
        faults.fail("C_EncryptInit", .nth(3), with: value)
        let probe = try await client.probe()
        #expect(probe["aes-256-gcm"]?.outcome == .ok)
        #expect(probe["allowed-mechanisms-enforced"]?.outcome == .ok)
        await client.shutdown()
    }

    /// What the token refuses to do is told as such and does not end the probe.
    @Test func everyRefusalIsInTheReport() async throws {
        let faults = FaultPlan()
        let client = try await SoftHSMToken.make().provisioned(faults: faults)
        let absent = try #require(ReturnValue(name: "CKR_MECHANISM_INVALID"))
        let broken = try #require(ReturnValue(name: "CKR_DEVICE_ERROR"))
        faults.fail("C_WrapKey", with: absent)
        faults.fail("C_DeriveKey", with: broken)
        let report = try await client.probe()
        for name in ["kwp-aes", "kwp-ec", "kwp-ed25519", "unwrap-template-enforced"] {
            #expect(report[name]?.outcome == .absent)
            #expect(report[name]?.detail == "CKR_MECHANISM_INVALID from C_WrapKey")
        }
        for name in ["ecdh-p256", "ecdh-bn254"] {
            #expect(report[name]?.outcome == .failed)
            #expect(report[name]?.detail == "CKR_DEVICE_ERROR from C_DeriveKey")
        }
        #expect(report["ecdsa-p256"]?.outcome == .ok)
        await client.shutdown()
    }

    /// A token in FIPS mode takes no key in the clear; what it can do is then proved without known answers.
    @Test func aTokenThatImportsNothingIsStillProbed() async throws {
        let faults = FaultPlan()
        // Before provisioning: whoever checks keys of ours hands the token their public halves.
        let client = PKCS11Token(configuration: try SoftHSMToken.make().configuration(), faults: faults)
        client.start()
        try await client.waitUntilReady(timeout: .seconds(120))
        let before = try await client.probe()
        faults.fail("C_CreateObject", with: try #require(ReturnValue(name: "CKR_TEMPLATE_INCONSISTENT")))
        let report = try await client.probe()
        for name in ["aes-256-gcm", "hmac-sha-256"] {
            #expect(before[name]?.outcome == .ok)
            #expect(before[name]?.detail == nil)
            #expect(report[name]?.outcome == .ok)
            #expect(report[name]?.detail?.contains("CKR_TEMPLATE_INCONSISTENT from C_CreateObject") == true)
        }
        #expect(report["ecdh-bn254"]?.outcome == .notProbed)
        await client.shutdown()
    }
}

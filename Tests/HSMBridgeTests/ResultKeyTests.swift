import TestSupport
import TestTokens
import Testing
import Token

@testable import HSMBridge

/// The key that signs results: which one a token gets, what it signs, and how an older installation gets it.
@Suite(.timeLimit(.minutes(10))) struct ResultKeyTests {
    private static func started(_ soft: SoftHSMToken, _ faults: FaultPlan? = nil) async throws -> PKCS11Token {
        let token = PKCS11Token(configuration: soft.configuration(), faults: faults)
        token.start()
        try await token.waitUntilReady(timeout: .seconds(120))
        return token
    }

    /// Only a token that says it cannot make the better kind gets the other one.
    @Test(arguments: [
        "CKR_CURVE_NOT_SUPPORTED", "CKR_DOMAIN_PARAMS_INVALID", "CKR_MECHANISM_PARAM_INVALID",
        "CKR_FUNCTION_NOT_SUPPORTED",
    ])
    func aTokenWithoutTheCurveGetsTheOther(refusal: String) async throws {
        let faults = FaultPlan()
        let token = try await Self.started(try SoftHSMToken.make(), faults)
        // The first pair is the audit key's.
        faults.fail("C_GenerateKeyPair", .nth(2), with: try #require(ReturnValue(name: refusal)))
        let manifest = try await token.provision(instance: TokenManifest.makeInstance())
        faults.clear()
        #expect(manifest[.audit]?.kind == .ecP256 && manifest[.result]?.kind == .ecP256)
        let message = ResultMessage([1, 2, 3]).encoded
        let signature = try await token.sign(message, with: .result)
        let key = try await token.publicKey(of: .result)
        #expect(key.curve == "P-256" && key.fingerprint == manifest[.result]?.fingerprint)
        #expect(try Stranger.verifies(signature, of: message, key.subjectPublicKeyInfo))
        let report = try await token.lint()
        #expect(report.grade == .ok, "\(report.objects.filter { $0.grade != .ok })")
        await token.shutdown()
    }

    /// CKR_GENERAL_ERROR means "cannot" in some modules and a failure in others. It means the former where the other
    /// curve works right after it and this one still does not.
    @Test func aCurveThatFailsForGoodIsLacking() async throws {
        let faults = FaultPlan()
        let token = try await Self.started(try SoftHSMToken.make(), faults)
        let general = try #require(ReturnValue(name: "CKR_GENERAL_ERROR"))
        // 1 is the audit key's; 8 is the trial with P-256, and 15 the key that is taken.
        for number in Array(2...7) + Array(9...14) { faults.fail("C_GenerateKeyPair", .nth(number), with: general) }
        let manifest = try await token.provision(instance: TokenManifest.makeInstance())
        faults.clear()
        #expect(manifest[.audit]?.kind == .ecP256 && manifest[.result]?.kind == .ecP256)
        let report = try await token.lint()
        #expect(report.objects.count == KeyRole.allCases.count, "nothing of the trials is left")
        await token.shutdown()
    }

    /// A moment's failure is waited out.
    @Test func aFailureThatPassesGetsNoWeakerKey() async throws {
        let faults = FaultPlan()
        let token = try await Self.started(try SoftHSMToken.make(), faults)
        let general = try #require(ReturnValue(name: "CKR_GENERAL_ERROR"))
        for number in 2...3 { faults.fail("C_GenerateKeyPair", .nth(number), with: general) }
        let manifest = try await token.provision(instance: TokenManifest.makeInstance())
        faults.clear()
        #expect(manifest[.result]?.kind == .ecSecp256k1)
        await token.shutdown()
    }

    /// A longer one ends the provisioning and leaves nothing: when it is over, both curves work.
    @Test func aFailureThatIsOverWhenTheOtherCurveIsTriedGetsNoWeakerKey() async throws {
        let faults = FaultPlan()
        let token = try await Self.started(try SoftHSMToken.make(), faults)
        let general = try #require(ReturnValue(name: "CKR_GENERAL_ERROR"))
        // Three tries of the key and three of the least that it could be made with.
        for number in 2...7 { faults.fail("C_GenerateKeyPair", .nth(number), with: general) }
        let instance = TokenManifest.makeInstance()
        let error = await #expect(throws: HSMError.self) { try await token.provision(instance: instance) }
        faults.clear()
        #expect(error?.code == .deviceFailure && error?.message.contains("'result'") == true, "\(error as Any)")
        #expect(try await token.sweep(instance: instance) == [])
        await token.shutdown()
    }

    @Test func aTokenThatErrsGetsNoWeakerKey() async throws {
        let faults = FaultPlan()
        let token = try await Self.started(try SoftHSMToken.make(), faults)
        faults.fail("C_GenerateKeyPair", .nth(2), with: try #require(ReturnValue(name: "CKR_HOST_MEMORY")))
        let instance = TokenManifest.makeInstance()
        let error = await #expect(throws: HSMError.self) { try await token.provision(instance: instance) }
        faults.clear()
        #expect(error?.code == .overloaded)
        #expect(try await token.sweep(instance: instance) == [])
        await token.shutdown()
    }

    /// Strangers verify it, on the curve that chains know, and see the lower s every time.
    @Test func softHSMSignsResultsOnSecp256k1() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        #expect(token.manifest?[.result]?.kind == .ecSecp256k1)
        let key = try await token.publicKey(of: .result)
        for number in 0..<24 as Range<UInt8> {
            let message = ResultMessage([number]).encoded
            let signature = try await token.sign(message, with: .result)
            #expect(signature == LowS.secp256k1(signature))
            #expect(try Stranger.verifies(signature, of: message, key.subjectPublicKeyInfo))
        }
        #expect(try await token.probe()["result-key"]?.detail == "EC-secp256k1")
        await token.shutdown()
    }

    /// As provisioned by a version that made no such key: everything else works, and a second `init` adds it once.
    @Test func anOlderInstallationGetsItsKeyOnce() async throws {
        let soft = try SoftHSMToken.make()
        let first = try await soft.provisioned()
        let whole = try #require(first.manifest)
        await first.shutdown()
        var before = whole
        before[.result] = nil
        let token = PKCS11Token(configuration: soft.configuration(manifest: before))
        token.start()
        try await token.waitUntilReady(timeout: .seconds(120))
        #expect(try await token.sign([1], with: .audit).count == 64)
        let error = await #expect(throws: HSMError.self) {
            try await token.sign(ResultMessage([1]).encoded, with: .result)
        }
        #expect(error?.code == .keyMissing && error?.message.contains("kmsd init") == true)
        // The key that is there belongs to a manifest that nobody has.
        let completed = try #require(try await token.completeProvisioning())
        #expect(completed[.result]?.fingerprint != whole[.result]?.fingerprint)
        #expect(completed.missingRoles.isEmpty && before.missingRoles == [.result])
        #expect(try await token.completeProvisioning() == nil)
        #expect(try await token.sign(ResultMessage([1]).encoded, with: .result).count == 64)
        let report = try await token.lint()
        #expect(report.grade == .ok, "\(report.objects.filter { $0.grade != .ok }) \(report.findings)")
        #expect(report.objects.count == KeyRole.allCases.count)
        for role in KeyRole.allCases where role != .result { #expect(completed[role] == whole[role]) }
        await token.shutdown()
    }
}

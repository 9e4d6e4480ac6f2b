import LibCrypto
import TPMBridge
import TestSupport
import Testing
import Token

@Suite(.timeLimit(.minutes(10))) struct TPMTokenTests {
    let context = Array("a context".utf8)

    @Test func sealsAndOpens() async throws {
        let tpm = try SoftTPM()
        let token = try await tpm.provisioned()
        for role in KeyRole.sealing {
            let sealed = try await token.seal(try secret("something"), under: role, context: context)
            #expect(sealed.count == 9 + 49 && sealed[0] == 2)
            #expect(text(try await token.open(sealed, under: role, context: context)) == "something")
            #expect(
                await code { _ = try await token.open(sealed, under: role, context: [1]) } == .authenticationFailed)
            for index in sealed.indices {
                var altered = sealed
                altered[index] ^= 1
                #expect(
                    await code { _ = try await token.open(altered, under: role, context: context) }
                        == .authenticationFailed)
            }
        }
        let user = try await token.seal(try secret("x"), under: .shareLockUser, context: context)
        #expect(
            await code { _ = try await token.open(user, under: .shareLockServer, context: context) }
                == .authenticationFailed)
        #expect(await code { _ = try await token.seal(secret("x"), under: .audit, context: [1]) } == .invalidArgument)
        #expect(await code { _ = try await token.open([2], under: .rootLock, context: [1]) } == .authenticationFailed)
        await token.shutdown()
    }

    @Test func signsForTheAuditLog() async throws {
        let tpm = try SoftTPM()
        let token = try await tpm.provisioned()
        let key = try await token.publicKey(of: .audit)
        let message = Array("a checkpoint".utf8)
        let signature = try await token.sign(message, with: .audit)
        let verifier = try VerificationKey(curve: .p256, publicKey: key.point)
        #expect(try verifier.verify(signature, message: message, encoding: .p1363))
        #expect(key.fingerprint.count == 64)
        await token.shutdown()
    }

    @Test func holdsResidentKeys() async throws {
        let tpm = try SoftTPM()
        let token = try await tpm.provisioned()
        #expect(token.residentAlgorithms.isSuperset(of: [.p256, .p384, .hmacSHA256]))
        #expect(token.residentAlgorithms.isDisjoint(with: [.ed25519, .aes128, .aes256, .secp256k1]))
        // More keys than a TPM has slots for, in turns.
        var keys: [ResidentKeyBlob] = []
        for _ in 0..<3 { keys += [try await token.generateResident(.p256), try await token.generateResident(.p384)] }
        for round in 0..<3 {
            for key in keys {
                let curve: SigningCurve = key.algorithm == .p256 ? .p256 : .p384
                let message = Array("round \(round)".utf8)
                let signature = try await token.sign(digest: try curve.digest(of: message), with: key)
                let verifier = try VerificationKey(curve: curve, publicKey: try #require(key.publicKey))
                #expect(try verifier.verify(signature, message: message, encoding: .p1363))
            }
            // A role's key between them needs a slot too.
            _ = try await token.seal(try secret("x"), under: .rootLock, context: context)
        }
        let macKey = try await token.generateResident(.hmacSHA256)
        let tag = try await token.mac([1, 2, 3], with: macKey)
        #expect(tag.count == 32)
        #expect(try await token.mac([1, 2, 3], with: macKey) == tag)
        await token.forget(macKey.identifier)
        #expect(try await token.mac([1, 2, 3], with: macKey) == tag)
        #expect(
            await code {
                _ = try await token.encrypt([1], nonce: [], associatedData: [], with: macKey)
            } == .mechanismUnsupported)
        #expect(await code { _ = try await token.generateResident(.ed25519) } == .mechanismUnsupported)
        var swapped = keys[0]
        swapped.identifier = Array(repeating: 7, count: 16)
        swapped.publicKey = keys[2].publicKey
        #expect(
            await code { _ = try await token.sign(digest: Array(repeating: 1, count: 32), with: swapped) }
                == .keyMismatch)
        var damaged = keys[0]
        damaged.identifier = Array(repeating: 8, count: 16)
        damaged.wrapped[damaged.wrapped.count - 1] ^= 1
        #expect(
            await code { _ = try await token.sign(digest: Array(repeating: 1, count: 32), with: damaged) }
                == .authenticationFailed)
        await token.shutdown()
    }

    @Test func goesOnAfterARestart() async throws {
        let tpm = try SoftTPM()
        let first = try await tpm.provisioned()
        let manifest = try #require(first.manifest)
        let sealed = try await first.seal(try secret("kept"), under: .rootLock, context: context)
        let key = try await first.generateResident(.p256)
        let identity = first.sealingIdentity
        await first.shutdown()

        let second = tpm.token(manifest)
        try await second.waitUntilReady(timeout: .seconds(120))
        #expect(second.sealingIdentity == identity)
        #expect(text(try await second.open(sealed, under: .rootLock, context: context)) == "kept")
        #expect(try await second.sign(digest: Array(repeating: 1, count: 32), with: key).count == 64)
        await second.shutdown()
    }
}

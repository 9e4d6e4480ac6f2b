import SecretMemory
import TestSupport
import TestTokens
import Testing
import Token

@testable import HSMBridge

/// What a failed call leads to, with failures injected at the one door.
extension DisturbingTests {
    @Suite(.timeLimit(.minutes(10))) struct RecoveryTests {
        /// A ready token whose health is not checked meanwhile, so that an injected failure meets the operation.
        static func token(_ faults: FaultPlan) async throws -> PKCS11Token {
            let soft = try SoftHSMToken.make()
            var configuration = soft.configuration()
            configuration.healthInterval = .seconds(600)
            let token = PKCS11Token(configuration: configuration, faults: faults)
            token.start()
            try await token.waitUntilReady(timeout: .seconds(120))
            _ = try await token.provision(instance: TokenManifest.makeInstance())
            return token
        }

        enum Operation: String, CaseIterable, Sendable {
            case seal, open, audit, resident, unwrap

            var functions: [String] {
                switch self {
                case .seal: ["C_EncryptInit", "C_Encrypt"]
                case .open: ["C_DecryptInit", "C_Decrypt"]
                case .audit: ["C_DigestInit", "C_Digest", "C_SignInit", "C_Sign"]
                case .resident: ["C_GenerateKeyPair", "C_GetAttributeValue", "C_WrapKey", "C_DestroyObject"]
                case .unwrap: ["C_UnwrapKey", "C_CreateObject", "C_VerifyInit"]
                }
            }
        }

        /// Every return value of the standard from every function of every operation: classified, and the pool heals.
        @Test(arguments: Operation.allCases)
        func everyFailureIsClassifiedAndHeals(operation: Operation) async throws {
            let faults = FaultPlan()
            let token = try await Self.token(faults)
            let sealed = try await token.seal(SealingTests.secret([1]), under: .rootLock, context: [1])
            let key = try await token.generateResident(.p256)
            let run: @Sendable () async throws(HSMError) -> Void = { () async throws(HSMError) in
                switch operation {
                case .seal:
                    let secret: SharedSecret
                    do { secret = try SealingTests.secret([2]) } catch { throw HSMError(.overloaded, "\(error)") }
                    _ = try await token.seal(secret, under: .rootLock, context: [2])
                case .open: _ = try await token.open(sealed, under: .rootLock, context: [1])
                case .audit: _ = try await token.sign([3], with: .audit)
                case .resident: _ = try await token.generateResident(.p256)
                case .unwrap:
                    await token.forget(key.identifier)
                    _ = try await token.sign(digest: Array(0..<32), with: key)
                }
            }
            try await run()
            for function in operation.functions {
                for name in ReturnValue.names.values.sorted() where name != "CKR_OK" {
                    let value = try #require(ReturnValue(name: name))
                    var failure: HSMError?
                    // The keeper's own look at the token may meet the fault first; then it is injected once more.
                    for _ in 0..<3 where failure == nil {
                        faults.fail(function, .nth(1), with: value)
                        do throws(HSMError) {
                            try await run()
                        } catch {
                            failure = error
                        }
                        faults.clear()
                    }
                    let comment: Comment = "\(function) \(name): \(failure.map { "\($0)" } ?? "no error")"
                    switch value.recovery {
                    case .retrySession, .reResolve, .reLogin: #expect(failure == nil, comment)
                    case .reconnect: #expect(failure?.code == .tokenUnavailable, comment)
                    case .inputOrDevice:
                        let opens = ["C_Decrypt", "C_UnwrapKey"].contains(function)
                        #expect(failure?.code == (opens ? .authenticationFailed : nil), comment)
                    case .shed: #expect(failure?.code == .overloaded, comment)
                    case .operator: #expect(failure != nil, comment)
                    case .fatal: #expect(failure != nil || function == "C_GetAttributeValue", comment)
                    }
                    try await token.waitUntilReady(timeout: .seconds(120))
                    try await run()
                }
            }
            await token.shutdown()
        }

        @Test func persistentFailureEndsAfterThreeAttempts() async throws {
            let faults = FaultPlan()
            let token = try await Self.token(faults)
            let before = faults.calls(of: "C_SignInit")
            faults.fail("C_SignInit", with: try #require(ReturnValue(name: "CKR_OPERATION_ACTIVE")))
            let error = await #expect(throws: HSMError.self) { try await token.sign([1], with: .audit) }
            #expect(error != nil)
            #expect(faults.calls(of: "C_SignInit") - before == RecoveryPolicy.attemptLimit)
            faults.clear()
            _ = try await token.sign([1], with: .audit)
            await token.shutdown()
        }

        /// A device that fails every decryption is not blamed on the input.
        @Test func failingSentinelMeansTheDevice() async throws {
            let faults = FaultPlan()
            let token = try await Self.token(faults)
            let sealed = try await token.seal(SealingTests.secret([1]), under: .rootLock, context: [1])
            faults.fail("C_Decrypt", with: try #require(ReturnValue(name: "CKR_GENERAL_ERROR")))
            let error = await #expect(throws: HSMError.self) {
                try await token.open(sealed, under: .rootLock, context: [1])
            }
            #expect(error?.code == .tokenUnavailable)
            #expect(!token.health.isReady)
            faults.clear()
            try await token.waitUntilReady(timeout: .seconds(120))
            #expect(SealingTests.bytes(try await token.open(sealed, under: .rootLock, context: [1])) == [1])
            await token.shutdown()
        }

        @Test func aSlowTokenMeetsTheDeadlineAndAFullQueueRefuses() async throws {
            let faults = FaultPlan()
            let soft = try SoftHSMToken.make()
            var configuration = soft.configuration()
            configuration.cryptoSessions = 1
            configuration.queueLimit = 4
            // Long enough for twelve tasks to begin on a busy machine.
            configuration.callTimeout = .seconds(4)
            configuration.healthInterval = .seconds(600)
            let token = PKCS11Token(configuration: configuration, faults: faults)
            token.start()
            try await token.waitUntilReady(timeout: .seconds(120))
            _ = try await token.provision(instance: TokenManifest.makeInstance())
            faults.delay("C_Sign", by: .seconds(30))
            let start = ContinuousClock.now
            let codes = await withTaskGroup(of: HSMError.Code?.self) { group in
                for _ in 0..<12 {
                    group.addTask {
                        do throws(HSMError) {
                            _ = try await token.sign([1], with: .audit)
                            return nil
                        } catch {
                            return error.code
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(ContinuousClock.now - start < .seconds(30), "nobody waits for the call that hangs")
            #expect(Set(codes) == [.deadlineExceeded, .overloaded])
            #expect(codes.filter { $0 == .overloaded }.count >= 7)
            faults.clear()
            try await eventually("the token signs again") { (try? await token.sign([1], with: .audit)) != nil }
            await token.shutdown()
        }

        @Test func loginStateWalksItsTable() {
            let start = ContinuousClock.now
            var state = LoginState(healthInterval: .seconds(1), ceiling: .milliseconds(500), now: start)
            #expect(state.step(at: start) == .connect(.renew))
            let down = HSMError(.tokenNotFound, "")
            for expected in [100, 200, 400, 500, 500] {
                state.failed(down, at: start)
                #expect(state.step(at: start) == .wait(.milliseconds(expected)))
                #expect(state.step(at: start + .milliseconds(expected)) == .connect(.full))
            }
            state.connected(at: start)
            #expect(state.step(at: start) == .wait(.seconds(1)))
            #expect(state.step(at: start + .seconds(1)) == .check)
            state.expired()
            #expect(state.step(at: start) == .connect(.renew))
            state.connected(at: start)
            state.failed(HSMError(.pinRefused, ""), at: start)
            #expect(state.step(at: start + .seconds(1_000_000)) == .wait(nil))
            state.stop()
            #expect(state.step(at: start) == .stop)
            state.connected(at: start)
            #expect(state.step(at: start) == .stop)
        }
    }
}

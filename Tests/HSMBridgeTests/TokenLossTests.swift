import Foundation
import SecretMemory
import Synchronization
import TestSupport
import TestTokens
import Testing
import Token

@testable import HSMBridge

/// Tokens that vanish, return, or are replaced by others.
extension DisturbingTests {
    @Suite(.timeLimit(.minutes(10))) struct TokenLossTests {
        private final class Flag: Sendable {
            private let value = Atomic(false)
            var isRaised: Bool { value.load(ordering: .acquiring) }
            func raise() { value.store(true, ordering: .releasing) }
        }

        private static func move(_ from: URL, _ to: URL) throws { try FileManager.default.moveItem(at: from, to: to) }

        private static func away(_ soft: SoftHSMToken) -> URL {
            SoftHSMToken.tokensDirectory.deletingLastPathComponent()
                .appendingPathComponent("away-" + soft.directory.lastPathComponent)
        }

        @Test func aTokenTakenAwayUnderLoadHealsWithoutARestart() async throws {
            let soft = try SoftHSMToken.make()
            let token = try await soft.provisioned()
            let sealed = try await token.seal(SealingTests.secret([5]), under: .rootLock, context: [1])
            let isOver = Flag()
            let codes = try await withThrowingTaskGroup(of: Set<HSMError.Code>.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        var codes: Set<HSMError.Code> = []
                        while !isOver.isRaised, !Task.isCancelled {
                            do throws(HSMError) {
                                let opened = try await token.open(sealed, under: .rootLock, context: [1])
                                #expect(SealingTests.bytes(opened) == [5])
                            } catch {
                                codes.insert(error.code)
                                try await Task.sleep(for: .milliseconds(1))
                            }
                        }
                        return codes
                    }
                }
                for _ in 0..<3 {
                    try Self.move(soft.directory, Self.away(soft))
                    try await eventually("the loss is noticed") { !token.health.isReady }
                    try await Task.sleep(for: .milliseconds(300))
                    #expect(!token.health.isReady)
                    try Self.move(Self.away(soft), soft.directory)
                    try await eventually("the token is back") { token.health.isReady }
                    let opened = try await token.open(sealed, under: .rootLock, context: [1])
                    #expect(SealingTests.bytes(opened) == [5])
                }
                isOver.raise()
                return try await group.reduce(into: Set()) { $0.formUnion($1) }
            }
            #expect(codes.isSubset(of: [.tokenUnavailable, .tokenNotFound, .keyMissing]), "\(codes)")
            await token.shutdown()
        }

        @Test func theDaemonStartsWithoutItsToken() async throws {
            let soft = try SoftHSMToken.make()
            let first = try await soft.provisioned()
            let manifest = try #require(first.manifest)
            await first.shutdown()
            try Self.move(soft.directory, Self.away(soft))
            let token = PKCS11Token(configuration: soft.configuration(manifest: manifest))
            token.start()
            try await eventually("the absence is told") { token.health.error != nil }
            let error = await #expect(throws: HSMError.self) { try await token.sign([1], with: .audit) }
            #expect(error?.code == .tokenNotFound)
            let late = await #expect(throws: HSMError.self) {
                try await token.waitUntilReady(timeout: .milliseconds(200))
            }
            #expect(late?.code == .tokenNotFound)
            try Self.move(Self.away(soft), soft.directory)
            try await eventually("the token is used once it is there") { token.health.isReady }
            #expect(try await token.sign([1], with: .audit).count == 64)
            await token.shutdown()
        }

        @Test func anImpostorIsNeverUsedAndTheRightTokenIsWelcomeBack() async throws {
            let twins = try SoftHSMToken.makeTwins()
            try Self.move(twins.impostor.directory, Self.away(twins.impostor))
            var configuration = twins.original.configuration()
            // Named by label only: the manifest must tell them apart.
            configuration.uri = TokenURI(token: twins.original.label, modulePath: twins.original.modulePath)
            let faults = FaultPlan()
            let token = PKCS11Token(configuration: configuration, faults: faults)
            token.start()
            try await token.waitUntilReady(timeout: .seconds(120))
            _ = try await token.provision(instance: TokenManifest.makeInstance())
            try Self.move(twins.original.directory, Self.away(twins.original))
            try Self.move(Self.away(twins.impostor), twins.impostor.directory)
            try await eventually("the loss is noticed") { !token.health.isReady }
            let logins = faults.calls(of: "C_Login")
            try await eventually("the impostor is refused") {
                if case .refused(let error) = token.health { error.code == .tokenMismatch } else { false }
            }
            #expect(faults.calls(of: "C_Login") == logins, "the impostor never sees the PIN")
            let error = await #expect(throws: HSMError.self) { try await token.sign([1], with: .audit) }
            #expect(error?.code == .tokenMismatch)
            try Self.move(Self.away(twins.original), twins.original.directory)
            try await eventually("the right token is back") { token.health.isReady }
            #expect(try await token.sign([1], with: .audit).count == 64)
            await token.shutdown()
        }

        @Test func oneTokensAbsenceDoesNotFailAnother() async throws {
            let healthy = try await SoftHSMToken.make().provisioned()
            let key = try await healthy.generateResident(.p256)
            let soft = try SoftHSMToken.make()
            let other = try await soft.provisioned()
            try Self.move(soft.directory, Self.away(soft))
            try await eventually("the loss is noticed") { !other.health.isReady }
            var count = 0
            try await eventually("the other token serves") {
                #expect(try await healthy.sign(digest: Array(0..<32), with: key).count == 64)
                _ = try await healthy.generateResident(.aes256)
                count += 1
                return count > 100
            }
            #expect(!other.health.isReady)
            try Self.move(Self.away(soft), soft.directory)
            try await other.waitUntilReady(timeout: .seconds(120))
            await other.shutdown()
            await healthy.shutdown()
        }

        @Test func healthChangesAreToldOnce() async throws {
            final class Witness: CallObserver {
                let seen = Mutex<[String]>([])
                func healthDidChange(to health: TokenHealth) {
                    seen.withLock { $0.append(health.isReady ? "ready" : health.error?.code.rawValue ?? "") }
                }
            }
            let soft = try SoftHSMToken.make()
            let witness = Witness()
            let token = try await soft.provisioned(observer: witness)
            try Self.move(soft.directory, Self.away(soft))
            try await eventually("the loss is noticed") { !token.health.isReady }
            try await Task.sleep(for: .seconds(1))
            try Self.move(Self.away(soft), soft.directory)
            try await token.waitUntilReady(timeout: .seconds(120))
            await token.shutdown()
            let seen = witness.seen.withLock { $0 }
            #expect(seen.first == "ready")
            #expect(zip(seen, seen.dropFirst()).allSatisfy { $0 != $1 }, "\(seen)")
            #expect(seen.filter { $0 == "ready" }.count == 2, "\(seen)")
        }

        @Test func anotherKeyIsRefused() async throws {
            let soft = try SoftHSMToken.make()
            let first = try await soft.provisioned()
            let manifest = try #require(first.manifest)
            await first.shutdown()
            var cases: [(TokenManifest, HSMError.Code)] = []
            for role in KeyRole.allCases {
                var other = manifest
                // Another digit in every place: backwards, some would read the same.
                other[role]?.fingerprint = String(
                    (manifest[role]?.fingerprint ?? "").map { $0 == "0" ? "1" : "0" })
                cases.append((other, .keyMismatch))
                var missing = manifest
                missing[role]?.id = String(repeating: "0", count: 32)
                cases.append((missing, .keyMissing))
            }
            var exchanged = manifest
            exchanged[.rootLock]?.sentinel = manifest[.shareLockUser]?.sentinel
            cases.append((exchanged, .keyMismatch))
            for (manifest, code) in cases {
                let token = PKCS11Token(configuration: soft.configuration(manifest: manifest))
                token.start()
                try await eventually("the other key is noticed") { token.health.error != nil }
                #expect(token.health.error?.code == code)
                if case .refused = token.health {} else { Issue.record("not refused: \(token.health)") }
                await token.shutdown()
            }
        }

        @Test func aKeyDestroyedByAnotherProgramIsNoticed() async throws {
            let soft = try SoftHSMToken.make()
            let token = try await soft.provisioned()
            let label = try #require(token.manifest?[.rootLock]?.label)
            let pin = try String(contentsOf: soft.pinFile, encoding: .utf8)
            func destroy() throws {
                try Command.succeed(
                    "pkcs11-tool",
                    [
                        "--module", soft.modulePath, "--token-label", soft.label, "--login", "--pin", pin,
                        "--delete-object",
                        "--type", "secrkey", "--label", label,
                    ], environment: soft.environment)
            }
            // SoftHSM empties its token file before it writes it anew at a login; another's login then finds no PIN.
            do { try destroy() } catch { try destroy() }
            // Although the session copy still works.
            try await eventually("the missing key is noticed") {
                if case .refused(let error) = token.health { error.code == .keyMissing } else { false }
            }
            await token.shutdown()
        }

    }
}

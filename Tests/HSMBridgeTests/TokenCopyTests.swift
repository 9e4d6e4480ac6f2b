import Encodings
import SecretMemory
import Synchronization
import TestSupport
import TestTokens
import Testing
import Token

@testable import HSMBridge

/// A copy between two SoftHSM tokens whose module fails when it is told to.
@Suite(.timeLimit(.minutes(20))) struct TokenCopyTests {
    /// Two tokens; three AES keys and a pair on the first.
    private struct Place {
        let source: SoftHSMToken
        let target: SoftHSMToken

        init() async throws {
            source = try SoftHSMToken.make()
            target = try SoftHSMToken.make()
            try await Self.write(source) { session throws(HSMError) in
                for number in UInt8(1)...3 {
                    _ = try session.generateKey(
                        .aesKeyGeneration,
                        [
                            .flag(.token, true), .flag(.private, true), .flag(.sensitive, true),
                            .flag(.extractable, true),
                            .flag(.encrypt, true), .flag(.decrypt, true), .number(.valueLength, 32),
                            .bytes(.id, [number]), .label("aes-\(number)"),
                        ])
                }
                _ = try session.generateKeyPair(
                    .ecKeyPairGeneration,
                    publicKey: [
                        .flag(.token, true), .flag(.private, false), .flag(.verify, true),
                        .bytes(.ecParameters, EllipticCurve.p256.parameters), .bytes(.id, [9]), .label("pair"),
                    ],
                    privateKey: [
                        .flag(.token, true), .flag(.private, true), .flag(.sensitive, true), .flag(.extractable, true),
                        .flag(.sign, true), .bytes(.id, [9]), .label("pair"),
                    ])
            }
        }

        /// Runs on a session of the token's own, on a thread that may block.
        static func write<R: Sendable>(
            _ token: SoftHSMToken, _ body: @escaping @Sendable (borrowing Session) throws(HSMError) -> R
        ) async throws -> R {
            let pkcs11 = PKCS11Token(
                configuration: TokenConfiguration(uri: token.uri, pinSource: token.pinSource))
            pkcs11.start()
            try await pkcs11.waitUntilReady(timeout: .seconds(60))
            do {
                let result = try await pkcs11.performSerialised { (_, connection) throws(HSMError) in
                    try body(try connection.openSession(.readWrite))
                }
                await pkcs11.shutdown()
                return result
            } catch {
                await pkcs11.shutdown()
                throw error
            }
        }

        func copy(_ faults: FaultPlan? = nil, isDryRun: Bool = false) async throws(HSMError) -> TokenCopyReport {
            try await TokenCopy.run(
                from: TokenCopy.Endpoint(uri: source.uri, pinSource: source.pinSource),
                to: TokenCopy.Endpoint(uri: target.uri, pinSource: target.pinSource), isDryRun: isDryRun, faults: faults
            )
        }

        /// Labels of the target's objects.
        func labels() async throws -> [String] {
            try await Self.write(target) { session throws(HSMError) in
                var found: [String] = []
                for object in try session.find([.flag(.token, true)]) {
                    found.append(try session.text(.label, of: object) ?? "")
                }
                return found.sorted()
            }
        }
    }

    private static let all = ["aes-1", "aes-2", "aes-3", "pair", "pair"]

    @Test(
        "Whichever call fails once, in whichever way, nothing that is not whole is on the target and the next run ends the work"
    )
    func everyCallMayFail() async throws {
        let place = try await Place()
        let calls: [(String, ReturnValue?)] = [
            ("C_WrapKey", ReturnValue(name: "CKR_GENERAL_ERROR")),
            ("C_UnwrapKey", ReturnValue(name: "CKR_GENERAL_ERROR")),
            ("C_UnwrapKey", ReturnValue(name: "CKR_DEVICE_MEMORY")),
            ("C_UnwrapKey", ReturnValue(name: "CKR_DEVICE_REMOVED")),
            ("C_Sign", ReturnValue(name: "CKR_DEVICE_ERROR")), ("C_Encrypt", ReturnValue(name: "CKR_FUNCTION_FAILED")),
            ("C_GetAttributeValue", ReturnValue(name: "CKR_GENERAL_ERROR")),
            ("C_DeriveKey", ReturnValue(name: "CKR_FUNCTION_FAILED")),
            ("C_CreateObject", ReturnValue(name: "CKR_GENERAL_ERROR")),
        ]
        for (call, value) in calls {
            let value = try #require(value)
            for number in [1, 3, 6, 12] {
                let faults = FaultPlan()
                faults.fail(call, .nth(number), with: value)
                _ = try? await place.copy(faults)
                let labels = try await place.labels()
                #expect(!labels.contains { $0 == CopySide.mark }, "\(call) \(value.name)")
                #expect(Set(labels).isSubset(of: Set(Self.all)))
            }
        }
        let report = try await place.copy()
        #expect(report.isComplete, "\(report)")
        #expect(try await place.labels() == Self.all)
    }

    @Test("A target that is full ends the copy, which says so and how far it came")
    func fullTargets() async throws {
        let place = try await Place()
        let faults = FaultPlan()
        faults.fail("C_UnwrapKey", .every, with: try #require(ReturnValue(name: "CKR_DEVICE_MEMORY")))
        let report = try await place.copy(faults)
        #expect(report.stopped?.code == "overloaded" && !report.isComplete)
        #expect(report.objects.map(\.outcome) == [.refused, .notTried, .notTried, .notTried, .notTried])
        #expect(try await place.labels().isEmpty)
    }

    @Test("Both ends on one token are refused before a PIN is sent")
    func sameToken() async throws {
        let token = try SoftHSMToken.make()
        let end = TokenCopy.Endpoint(uri: token.uri, pinSource: .file("/nowhere/pin"))
        await #expect(throws: HSMError.self) { _ = try await TokenCopy.run(from: end, to: end) }
        do {
            _ = try await TokenCopy.run(from: end, to: end)
        } catch {
            #expect(error.code == .configurationRefused && error.message.contains("same token"))
        }
    }

    @Test("What chooses objects is one form of RFC 7512, and nothing of a token is in it")
    func matches() throws {
        for text in ["", "token=x", "object=", "type=secret", "slot-id=1", "object=a?pin-source=/x"] {
            #expect(throws: HSMError.self, "\(text)") { try ObjectMatch(parsing: text) }
        }
        let match = try ObjectMatch(parsing: "object=web;id=%01;type=secret-key")
        func object(_ label: String, _ id: [UInt8], _ kind: ObjectClass) -> CopiedObject {
            CopiedObject(
                handle: 1, objectClass: kind, keyType: .aes, label: Array(label.utf8), id: id, flags: [:], values: [:],
                valueLength: nil, unread: [])
        }
        #expect(match.matches(object("web", [1], .secretKey)))
        #expect(!match.matches(object("web2", [1], .secretKey)) && !match.matches(object("web", [2], .secretKey)))
        #expect(!match.matches(object("web", [1], .privateKey)))
    }

    @Test("Progress is told from the first object to the last")
    func progress() async throws {
        let place = try await Place()
        let told = Mutex<[Int]>([])
        _ = try await TokenCopy.run(
            from: TokenCopy.Endpoint(uri: place.source.uri, pinSource: place.source.pinSource),
            to: TokenCopy.Endpoint(uri: place.target.uri, pinSource: place.target.pinSource), isDryRun: true,
            progress: { done, _ in told.withLock { $0.append(done) } })
        #expect(told.withLock { $0 } == [0, 1, 2, 3, 4, 5])
    }
}

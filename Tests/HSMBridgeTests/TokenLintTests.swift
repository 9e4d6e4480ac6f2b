import Encodings
import Foundation
import TestSupport
import TestTokens
import Testing
import Token

@testable import HSMBridge

extension DisturbingTests {
    @Suite(.timeLimit(.minutes(10))) struct TokenLintTests {
        private static let identity = TokenIdentity(label: "t", serial: "s", manufacturer: "m", model: "x")

        private func lint(_ session: borrowing Session, _ manifest: TokenManifest? = nil) throws -> LintReport {
            TokenLint.report(
                try ObjectSnapshot.all(session).snapshots, token: Self.identity, manifest: manifest)
        }

        private func attributes(_ report: LintReport, _ label: String) -> Set<String> {
            Set(report.objects.filter { $0.label == label }.flatMap(\.findings).map(\.attribute))
        }

        private static let careless: KeyTemplate = [
            .objectClass(.secretKey), .keyType(.aes), .number(.valueLength, 32), .flag(.token, true),
            .flag(.private, true), .flag(.encrypt, false), .flag(.decrypt, false), .flag(.sign, false),
            .flag(.verify, false),
        ]

        @Test func everyDangerousObjectIsNamed() throws {
            try RoleTemplateTests.withSession { session in
                for (label, extra) in [
                    ("extractable", [Attribute.flag(.extractable, true), .flag(.sensitive, true)]),
                    ("readable", [.flag(.extractable, true), .flag(.sensitive, false)]),
                    ("wrap-decrypt", [.flag(.wrap, true), .flag(.decrypt, true)]),
                    ("unwrap-encrypt", [.flag(.unwrap, true), .flag(.encrypt, true)]),
                    ("sign-derive", [.flag(.sign, true), .flag(.derive, true)]),
                ] {
                    let replaced = Self.careless.attributes.filter { old in !extra.contains { $0.type == old.type } }
                    _ = try session.generateKey(.aesKeyGeneration, KeyTemplate(replaced + extra + [.label(label)]))
                }
                let report = try lint(session)
                #expect(report.grade == .bad)
                #expect(attributes(report, "extractable").contains("CKA_EXTRACTABLE"))
                #expect(attributes(report, "readable").isSuperset(of: ["CKA_EXTRACTABLE", "CKA_SENSITIVE"]))
                #expect(attributes(report, "wrap-decrypt").contains("CKA_WRAP+CKA_DECRYPT"))
                #expect(attributes(report, "unwrap-encrypt").contains("CKA_UNWRAP+CKA_ENCRYPT"))
                #expect(attributes(report, "sign-derive").contains("CKA_SIGN+CKA_DERIVE"))
                #expect(attributes(report, "sign-derive").isSuperset(of: ["CKA_MODIFIABLE", "CKA_ALLOWED_MECHANISMS"]))
            }
        }

        @Test func aKeyOutsideItsManifestAndAMissingOneAreNamed() throws {
            try RoleTemplateTests.withSession { session in
                let instance = TokenManifest.makeInstance()
                let id = SystemRandom.bytes(16)
                let label = TokenManifest.label(instance: instance, role: .rootLock)
                _ = try session.generateKey(.aesKeyGeneration, .secretKey(.aes256Seal, id: id, label: label))
                _ = try session.generateKey(
                    .aesKeyGeneration,
                    .secretKey(.aes256Seal, id: id, label: TokenManifest.labelPrefix(instance: instance) + "stray/1")
                )
                let key = TokenManifest.Key(
                    id: Hexadecimal.encode(id), label: label, kind: .aes256Seal, fingerprint: "", sentinel: nil)
                let gone = TokenManifest.Key(
                    id: Hexadecimal.encode(SystemRandom.bytes(16)), label: "kmsd/gone", kind: .aes256Seal,
                    fingerprint: "",
                    sentinel: nil)
                let manifest = TokenManifest(
                    instance: instance, token: Self.identity, keys: ["root-lock": key, "audit": gone])
                let report = try lint(session, manifest)
                #expect(
                    attributes(report, TokenManifest.labelPrefix(instance: instance) + "stray/1").contains("CKA_LABEL"))
                #expect(attributes(report, label) == ["CKA_ID"], "the stray key shares the root lock's CKA_ID")
                #expect(report.findings.contains { $0.message.contains("kmsd/gone") })
            }
        }

        /// A guarded role key has no finding at all.
        @Test func theRoleTemplatesAreClean() throws {
            try RoleTemplateTests.withSession { session in
                let instance = TokenManifest.makeInstance()
                var keys: [String: TokenManifest.Key] = [:]
                for role in KeyRole.allCases where !role.signs {
                    let id = SystemRandom.bytes(16)
                    let label = TokenManifest.label(instance: instance, role: role)
                    _ = try session.generateKey(.aesKeyGeneration, .secretKey(role.kinds[0], id: id, label: label))
                    keys[role.rawValue] = TokenManifest.Key(
                        id: Hexadecimal.encode(id), label: label, kind: role.kinds[0], fingerprint: "00", sentinel: nil)
                }
                let report = try lint(session, TokenManifest(instance: instance, token: Self.identity, keys: keys))
                #expect(report.grade == .ok, "\(report.objects.filter { $0.grade != .ok }) \(report.findings)")
                #expect(report.objects.count == keys.count)
            }
        }

        /// The reason why every secret must be a private object: a soft token stores others in clear text.
        @Test func aPublicSecretIsReadableOnDiskAndNamed() throws {
            let token = try SoftHSMToken.make()
            let value = SystemRandom.bytes(32)
            let pin = String(decoding: try Data(contentsOf: token.pinFile), as: UTF8.self)
            let file = token.pinFile.path + ".key"
            try Data(value).write(to: URL(fileURLWithPath: file))
            for (label, privacy) in [("open", []), ("closed", ["--private"])] {
                try Command.succeed(
                    "pkcs11-tool",
                    [
                        "--module", token.modulePath, "--token-label", token.label, "--login", "--pin", pin,
                        "--write-object", file, "--type", "secrkey", "--key-type", "AES:32", "--label", label,
                        "--sensitive",
                    ] + privacy, environment: token.environment)
            }
            let user = ModuleUser()
            let module = try Module.attach(token.modulePath, user: ObjectIdentifier(user))
            defer { module.detach(user: ObjectIdentifier(user)) }
            let door = CallDoor(module: module, observer: SilentObserver(), faults: nil)
            let found = try TokenSearch.find(door: door, uri: token.uri, manifest: nil)
            let session = try Session(door: door, slot: found.slot, epoch: found.epoch, access: .readWrite)
            try session.login(pin: token.pinSource.load())
            let report = try lint(session)
            #expect(attributes(report, "open").contains("CKA_PRIVATE"))
            #expect(!attributes(report, "closed").contains("CKA_PRIVATE"))
            let files = try FileManager.default.contentsOfDirectory(
                at: token.directory, includingPropertiesForKeys: nil)
            let inClear = try files.filter { try Data(contentsOf: $0).range(of: Data(value)) != nil }
            #expect(inClear.count == 1, "the open key is on disk in clear text, the closed one is not")
        }
    }
}

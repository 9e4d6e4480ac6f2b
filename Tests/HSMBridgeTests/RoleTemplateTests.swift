import TestSupport
import TestTokens
import Testing
import Token

@testable import HSMBridge

// Sessions opened by hand do not survive the module being initialised again: not beside the tests that do that.
/// The templates of the daemon's own keys, as a real token stores and enforces them.
extension DisturbingTests {
    @Suite(.timeLimit(.minutes(10))) struct RoleTemplateTests {
        /// A logged-in read-write session with a fresh token.
        static func withSession(_ body: (borrowing Session) throws -> Void) throws {
            let token = try SoftHSMToken.make()
            let user = ModuleUser()
            let module = try Module.attach(token.modulePath, user: ObjectIdentifier(user))
            defer { module.detach(user: ObjectIdentifier(user)) }
            let door = CallDoor(module: module, observer: SilentObserver(), faults: nil)
            let found = try TokenSearch.find(door: door, uri: token.uri, manifest: nil)
            let session = try Session(door: door, slot: found.slot, epoch: found.epoch, access: .readWrite)
            try #require(session.loginResult(pin: token.pinSource.load()).isLoggedIn)
            try body(session)
        }

        @Test(arguments: KeyRole.allCases.filter { !$0.signs })
        func secretKeysAreGuarded(role: KeyRole) throws {
            try Self.withSession { session in
                let key = try session.generateKey(
                    .aesKeyGeneration,
                    .secretKey(role.kinds[0], id: SystemRandom.bytes(16), label: "test/\(role.rawValue)")
                )
                for (type, expected) in [
                    (AttributeType.token, true), (.private, true), (.sensitive, true), (.extractable, false),
                    (.modifiable, false), (.alwaysSensitive, true), (.neverExtractable, true), (.local, true),
                    (.sign, false), (.derive, false), (.encrypt, role.seals),
                    (.decrypt, role.seals), (.wrap, !role.seals),
                    (.unwrap, !role.seals),
                ] {
                    #expect(try session.flag(type, of: key) == expected, "attribute \(type.rawValue)")
                }
                #expect(try session.attribute(.value, of: key) == nil)
                #expect(try session.attribute(.id, of: key)?.count == 16)
                #expect(try session.number(.valueLength, of: key) == 32)
                let mechanism: MechanismType = role.seals ? .aesGCM : .aesKeyWrapPad
                #expect(try session.allowedMechanisms(of: key) == [mechanism])
                #expect(throws: HSMError.self) { try session.set([.flag(.extractable, true)], on: key) }
            }
        }

        @Test(arguments: Set(KeyRole.allCases.filter(\.signs).flatMap(\.kinds)))
        func signingPairIsGuarded(kind: KeyKind) throws {
            let curve = try #require(kind.curve)
            try Self.withSession { session in
                let id = SystemRandom.bytes(16)
                let pair = try session.generateKeyPair(
                    .ecKeyPairGeneration, publicKey: .signingPublicKey(curve),
                    privateKey: .signingPrivateKey(id: id, label: "test/audit"))
                for (type, expected) in [
                    (AttributeType.token, true), (.private, true), (.sensitive, true), (.extractable, false),
                    (.modifiable, false), (.neverExtractable, true), (.sign, true), (.decrypt, false), (.derive, false),
                ] {
                    #expect(try session.flag(type, of: pair.privateKey) == expected, "attribute \(type.rawValue)")
                }
                let digest = try session.sha256(Array("message".utf8))
                let signature = try session.sign(.ecdsa, key: pair.privateKey, digest, length: 64)
                #expect(try session.verify(.ecdsa, key: pair.publicKey, digest, signature: signature))
                #expect(try !session.verify(.ecdsa, key: pair.publicKey, digest.reversed(), signature: signature))
            }
        }

        @Test func publicSecretsAreRefused() throws {
            try Self.withSession { session in
                #expect(throws: HSMError.self) {
                    try session.generateKey(.aesKeyGeneration, [.objectClass(.secretKey), .number(.valueLength, 32)])
                }
                #expect(throws: HSMError.self) {
                    try session.create([.objectClass(.secretKey), .keyType(.aes), .bytes(.value, [1, 2, 3])])
                }
            }
        }

        /// The unwrap template of the resident wrapping key: no readable key comes out of it.
        @Test func residentWrapNeverYieldsReadableKey() throws {
            try Self.withSession { session in
                let wrapping = try session.generateKey(
                    .aesKeyGeneration, .secretKey(.aes256Wrap, id: SystemRandom.bytes(16), label: "test/wrap"))
                let key = try session.generateKey(
                    .aesKeyGeneration,
                    [
                        .objectClass(.secretKey), .keyType(.aes), .number(.valueLength, 32), .flag(.token, false),
                        .flag(.private, true), .flag(.sensitive, true), .flag(.extractable, true),
                    ])
                let blob = try session.wrap(key, under: wrapping, .aesKeyWrapPad)
                #expect(blob.count == 40)
                let common: KeyTemplate = [
                    .objectClass(.secretKey), .keyType(.aes), .flag(.token, false), .flag(.private, true),
                ]
                #expect(throws: HSMError.self) {
                    try session.unwrap(
                        blob, under: wrapping, .aesKeyWrapPad,
                        common + [.flag(.sensitive, false), .flag(.extractable, true)])
                }
                let again = try session.unwrap(
                    blob, under: wrapping, .aesKeyWrapPad, common + KeyTemplate.residentGuard)
                #expect(try session.flag(.extractable, of: again) == false)
                #expect(try session.attribute(.value, of: again) == nil)
            }
        }
    }
}

/// Stands for a token object where a test uses a module by itself.
final class ModuleUser {}

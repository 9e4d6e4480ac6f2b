import Testing

@testable import Keystores

@Suite("Names", .timeLimit(.minutes(10))) struct IdentifierRulesTests {
    static let bad = [
        "", ".", "..", "a/b", "../a", "a b", "a\0", "é", "a%2e", "a\n", String(repeating: "a", count: 129), "a;b",
        "\u{2028}", "a\u{301}",
    ]

    @Test(arguments: bad) func keyIdsThatAreNoIdsAreRefusedBeforeAnyLookup(id: String) async throws {
        let fixture = try Fixture()
        let keystore = try await fixture.keystore()
        #expect(throws: KMSError.self) { try IdentifierRules.checkKey(id) }
        let codes = [
            await code { _ = try await fixture.service.sign(keystore: keystore, key: id, message: []) },
            await code { _ = try await fixture.service.key(keystore: keystore, key: id) },
            await code { _ = try await fixture.service.disableKey(keystore: keystore, key: id) },
            await code { _ = try await fixture.service.destroyKey(keystore: keystore, key: id, grace: nil) },
            await code { _ = try await fixture.service.rotateKey(keystore: keystore, key: id, type: "ED25519") },
        ]
        #expect(codes.allSatisfy { $0 == .invalidArgument })
    }

    @Test(arguments: bad + ["a.b", String(repeating: "a", count: 65)])
    func keystoreIdsThatAreNoIdsAreRefused(id: String) async throws {
        let fixture = try Fixture()
        #expect(await code { _ = try await fixture.service.keystore(id) } == .invalidArgument)
        #expect(
            await code { _ = try await fixture.service.createKey(keystore: id, type: "ED25519") } == .invalidArgument)
        #expect(
            await code { _ = try await fixture.service.sign(keystore: id, key: "k", message: []) } == .invalidArgument)
    }

    @Test func idsOfEveryAllowedCharacterPass() throws {
        try IdentifierRules.checkKey("AZaz09-_.")
        try IdentifierRules.checkKey("...")
        try IdentifierRules.checkKey(String(repeating: "a", count: 128))
        try IdentifierRules.checkKeystore(String(repeating: "-", count: 64))
    }

    @Test func controllersAreBoundedAndHoldNoControlCharacters() async throws {
        let fixture = try Fixture()
        for bad in [
            "", "a\nb", "a\u{1B}[2J", "a\u{2028}b", "a\0", "a\u{85}", "a\u{202E}b", "a\u{2066}b",
            String(repeating: "a", count: 1025),
        ] {
            let result = await code {
                _ = try await fixture.service.createKeystore(controller: bad, protection: .sealed)
            }
            #expect(result == .invalidArgument)
        }
        for bad in ["a\0", "a\u{202E}b"] {
            #expect(
                await code { _ = try await fixture.service.keystores(controller: bad, after: nil, limit: 9) }
                    == .invalidArgument)
            #expect(
                await code { _ = try await fixture.service.keystores(controller: nil, after: bad, limit: 9) }
                    == .invalidArgument)
        }
        let longest = String(repeating: "é", count: 512)
        let made = try await fixture.service.createKeystore(controller: longest, protection: .sealed)
        #expect(try await fixture.restarted().keystore(made.id).controller == longest)
    }

    /// The example of the xid project's README.
    @Test func keystoreIdsAreXids() throws {
        let bytes: [UInt8] = [0x4D, 0x88, 0xE1, 0x5B, 0x60, 0xF4, 0x86, 0xE4, 0x28, 0x41, 0x2D, 0xC9]
        #expect(KeystoreIdentifier.encode(bytes) == "9m4e2mr0ui3e8a215n4g")
        let made = try (0..<1000).map { _ in try KeystoreIdentifier.make(seconds: 1) }
        #expect(Set(made).count == 1000)
        #expect(made.allSatisfy { $0.utf8.count == 20 })
    }
}

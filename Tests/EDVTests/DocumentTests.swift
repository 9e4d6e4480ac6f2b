import Capabilities
import Encodings
import SecretMemory
import TestSupport
import Testing
import WorkingKeys

@testable import EDV

@Suite("Documents of a vault", .timeLimit(.minutes(10)))
struct DocumentTests {
    private let fixture: EDVFixture

    init() throws { fixture = try EDVFixture() }

    @Test func theDocumentsIdOfTheKeystoreSpecificationsVectors() throws {
        #expect(
            try DocumentIdentifier.make(for: fixture.file.keyId, mac: fixture.mac) == "8fwZVPpnXHuUbaA5Jc6Fn")
    }

    @Test func theContentHasOneExactText() throws {
        let content = StructuredDocument(key: fixture.file.keyId, value: Array(fixture.file.value.utf8))
        #expect(content.encoded() == Array(fixture.file.content.utf8))
        #expect(try StructuredDocument(decoding: content.encoded()) == content)
    }

    @Test func aDocumentThatOtherSoftwareEncryptedOpensAndIsWrittenTheSameWay() throws {
        let document = try VaultDocument(decoding: Array(fixture.file.document.utf8))
        let content = try document.content.decrypted(with: fixture.recipient, keyID: fixture.file.kid)
        #expect(content == Array(fixture.file.content.utf8))
        #expect(document.encoded() == Array(fixture.file.document.utf8))
    }

    @Test func theHeaderHasExactlyTheMembersOfTheFormatInSortedOrder() throws {
        let document = try EncryptedDocument(
            encrypting: [1, 2, 3], for: fixture.recipient, keyID: fixture.file.kid)
        let text = String(decoding: try #require(Base64.decode(document.protected, .either)), as: UTF8.self)
        let foreign = try VaultDocument(decoding: Array(fixture.file.document.utf8)).content.protected
        let pattern = String(decoding: try #require(Base64.decode(foreign, .either)), as: UTF8.self)
        // The same but for the ephemeral key, which stands in apu, x and y.
        func shape(_ text: String) -> String {
            text.split(separator: "\"", omittingEmptySubsequences: false)
                .map { $0.count >= 43 && $0 != fixture.file.kid ? "…" : String($0) }.joined(separator: "\"")
        }
        #expect(shape(text) == shape(pattern))
        let node = try JSONNode(reading: Array(text.utf8))
        let x = try #require(node["epk"]?["x"]?.text.flatMap { Base64.decode($0, .either) })
        let apu = try #require(node["apu"]?.text.flatMap { Base64.decode($0, .either) })
        #expect(String(decoding: apu, as: UTF8.self) == Base64.encode(Array(x.drop { $0 == 0 }), .url))
    }

    @Test func eachEncryptionDiffersAndOpensForItsRecipientOnly() throws {
        let message = Array("a record".utf8)
        let first = try EncryptedDocument(encrypting: message, for: fixture.recipient, keyID: fixture.file.kid)
        let second = try EncryptedDocument(encrypting: message, for: fixture.recipient, keyID: fixture.file.kid)
        #expect(first.ciphertext != second.ciphertext && first.encryptedKey != second.encryptedKey)
        #expect(try first.decrypted(with: fixture.recipient, keyID: fixture.file.kid) == message)
        let other = try WorkingKey(versions: [try KeyMaterial.generate(.nistP256ECDHKW)], primary: 0)
        for attempt in [(other, fixture.file.kid), (fixture.recipient, "another")] {
            let error = #expect(throws: EDVError.self) {
                _ = try first.decrypted(with: attempt.0, keyID: attempt.1)
            }
            #expect(error?.code == .damaged)
        }
    }

    @Test func anyChangedPartIsRefusedAsDamaged() throws {
        let sound = try EncryptedDocument(encrypting: [7], for: fixture.recipient, keyID: fixture.file.kid)
        var parts = [EncryptedDocument](repeating: sound, count: 5)
        parts[0].encryptedKey[3] ^= 1
        parts[1].nonce[0] ^= 1
        parts[2].ciphertext[0] ^= 1
        parts[3].tag[15] ^= 1
        let header = String(decoding: try #require(Base64.decode(sound.protected, .either)), as: UTF8.self)
        parts[4].protected = Base64.encode(Array((header + " ").utf8), .url)
        for document in parts {
            let error = #expect(throws: EDVError.self) {
                _ = try document.decrypted(with: fixture.recipient, keyID: fixture.file.kid)
            }
            #expect(error?.code == .damaged)
        }
    }

    @Test func mutatedAnswersNeverCrashAndNeverOpenAsSomethingElse() throws {
        var mutator = Mutator(seed: 0xED5)
        let sound = Array(fixture.file.document.utf8)
        let content = Array(fixture.file.content.utf8)
        for round in 0..<3_000 {
            let mutated = mutator.mutate(sound)
            if let document = try? VaultDocument(decoding: mutated),
                let opened = try? document.content.decrypted(with: fixture.recipient, keyID: fixture.file.kid)
            {
                #expect(opened == content, "round \(round)")
            }
            if let parsed = try? StructuredDocument(decoding: mutator.mutate(content)) {
                #expect(try StructuredDocument(decoding: parsed.encoded()) == parsed)
            }
        }
    }
}

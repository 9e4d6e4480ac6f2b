import Foundation
import SecretMemory
import TestSupport
import Testing

@testable import WalletClient

/// The split-key specification's vectors, which the pairing tests keep.
@Suite(.timeLimit(.minutes(10))) struct WalletClientTests {
    private static func vectors(_ type: String) throws -> [[String: Any]] {
        let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../PairingTests/Vectors/bls-bn254.json")
        let root = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any])
        let list = try #require(root["vectors"] as? [[String: Any]]).filter { $0["type"] as? String == type }
        try #require(!list.isEmpty)
        return list
    }

    private static func text(_ vector: [String: Any], _ name: String) throws -> String {
        try #require(vector[name] as? String)
    }

    private static func secret(_ text: String) throws -> SecretBytes {
        try SecretBytes.make(count: text.utf8.count) { $0.copyBytes(from: text.utf8) }
    }

    private static func read(_ text: String, passphrase: String = WalletSeed.passphrase) throws -> WalletKey {
        try WalletSeed.read(try secret(text), passphrase: try secret(passphrase))
    }

    private static func content(_ key: WalletKey) throws -> String {
        try key.fileContent().withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }

    @Test func mnemonicsGiveTheirKeys() throws {
        for vector in try Self.vectors("mnemonic") {
            let words = try Self.text(vector, "mnemonic")
            let passphrase = try Self.text(vector, "passphrase")
            for spelling in [words, words + "\n", "  " + words.replacingOccurrences(of: " ", with: " \t ") + "\r\n"] {
                let key = try Self.read(spelling, passphrase: passphrase)
                #expect(try Self.content(key) == Self.text(vector, "secret_key") + "\n")
                #expect(try key.publicKeyText == Self.text(vector, "public_key"))
                #expect(try key.clientID() == Self.text(vector, "client_id"))
            }
        }
    }

    @Test func hexadecimalKeysGiveTheirPublicKeys() throws {
        for vector in try Self.vectors("keygen") {
            let text = try Self.text(vector, "secret_key")
            for spelling in [text, text.uppercased(), text + "\n"] {
                let key = try Self.read(spelling)
                #expect(try key.publicKeyText == Self.text(vector, "public_key"))
                #expect(try Self.content(key) == text + "\n")
            }
        }
    }

    @Test func signaturesAreThoseOfTheVectors() throws {
        for vector in try Self.vectors("sign") where try Self.text(vector, "message").count == 64 {
            let key = try Self.read(try Self.text(vector, "secret_key"))
            let hash = try Self.text(vector, "message")
            let signature = try key.sign(hash: hash)
            #expect(try signature == Self.text(vector, "signature"))
            #expect(try WalletSignature.verify(signature, hash: hash, publicKey: key.publicKeyText))
            let other = String(repeating: "0", count: 64)
            #expect(try !WalletSignature.verify(signature, hash: other, publicKey: key.publicKeyText))
        }
    }

    @Test func partialSignaturesAddUpToThoseOfTheVectors() throws {
        for vector in try Self.vectors("split") {
            let partials = try #require(vector["partial_signatures"] as? [String])
            let sum = try WalletSignature.sum(partials)
            #expect(try sum == Self.text(vector, "combined_signature"))
            #expect(
                try WalletSignature.verify(
                    sum, hash: Self.text(vector, "message"), publicKey: Self.text(vector, "master_public_key")))
        }
    }

    @Test(arguments: [2, 3, 16]) func sharesSignTogether(count: Int) throws {
        let vector = try #require(try Self.vectors("mnemonic").first)
        let key = try Self.read(try Self.text(vector, "mnemonic"), passphrase: try Self.text(vector, "passphrase"))
        let hash = String(repeating: "5a", count: 32)
        let shares = try key.split(count)
        #expect(Set(shares.map(\.publicKeyText)).count == count)
        let sum = try WalletSignature.sum(try shares.map { try $0.sign(hash: hash) })
        #expect(try sum == key.sign(hash: hash), "BLS signatures are unique")
        let some = try shares.dropLast().map { try $0.sign(hash: hash) }
        let incomplete = some.count > 1 ? try WalletSignature.sum(some) : some[0]
        #expect(try !WalletSignature.verify(incomplete, hash: hash, publicKey: key.publicKeyText))
    }

    @Test func badInputIsRefusedWithoutRepeatingIt() throws {
        let words = Array(repeating: "abandon", count: 12)
        let order = "0d000000000000a11000000000809fff07000000804d34ba0100004082642325"
        for text in [
            "", " ", "\n", "zz", String(repeating: "0", count: 64), String(repeating: "f", count: 64), order,
            String(repeating: "g", count: 64), String(repeating: "1", count: 63), String(repeating: "1", count: 65),
            words.dropLast().joined(separator: " "), (words + ["about"]).joined(separator: " "),
            (words.dropLast() + ["naïve"]).joined(separator: " "), "\u{0}" + String(repeating: "1", count: 63),
        ] {
            let error = #expect(throws: WalletError.self, "\(text.debugDescription)") { try Self.read(text) }
            #expect(error?.code == .invalidInput)
            #expect(text.count < 5 || error?.message.contains(text) == false)
        }
        let key = try Self.read(String(repeating: "1", count: 64))
        for hash in ["", "00", String(repeating: "0", count: 63), String(repeating: "x", count: 64)] {
            #expect(throws: WalletError.self) { try key.sign(hash: hash) }
        }
        for count in [-1, 0, 1, 17] { #expect(throws: WalletError.self) { try key.split(count) } }
        let signature = try key.sign(hash: String(repeating: "0", count: 64))
        let zero = String(repeating: "0", count: 64)
        for signatures in [[], [signature], [signature, zero], [signature, signature.dropLast() + "g"]] {
            #expect(throws: WalletError.self) { try WalletSignature.sum(signatures) }
        }
        for name in ["invalid_signature", "invalid_public_key"] {
            for vector in try Self.vectors(name) {
                let bad = try Self.text(vector, "hex")
                #expect(throws: WalletError.self) {
                    _ =
                        name == "invalid_signature"
                        ? try WalletSignature.verify(bad, hash: zero, publicKey: key.publicKeyText)
                        : try WalletSignature.verify(signature, hash: zero, publicKey: bad)
                }
            }
        }
    }

    @Test func noInputBreaksTheReaders() throws {
        let vector = try #require(try Self.vectors("mnemonic").first)
        let seeds = [Array(try Self.text(vector, "mnemonic").utf8), Array(try Self.text(vector, "secret_key").utf8)]
        let passphrase = try Self.secret(WalletSeed.passphrase)
        var mutator = Mutator(seed: 1254)
        for seed in seeds {
            for _ in 0..<300 {
                let changed = mutator.mutate(seed)
                let text = try SecretBytes.make(count: changed.count) { $0.copyBytes(from: changed) }
                do throws(WalletError) {
                    #expect(try WalletSeed.read(text, passphrase: passphrase).publicKey.count == 64)
                } catch {
                    #expect(error.code == .invalidInput)
                }
            }
        }
    }
}

import LibCrypto
import SecretMemory
import TFHE
import Testing

@testable import Decryption

@Suite("What generations GA and GB sign, hash and box, bit for bit", .timeLimit(.minutes(10)))
struct LegacyFormTests {
    private static func file() throws -> VectorFile.Object { try VectorFile.read("mvp.json") }

    private static func generation(_ item: VectorFile.Object) throws -> Generation {
        try item.text("generation") == "2024-01" ? .ga : .gb
    }

    private static func request(
        _ item: VectorFile.Object, _ file: VectorFile.Object, _ purpose: LegacyRequest.Purpose
    ) throws -> LegacyRequest {
        var request = LegacyRequest(try generation(item), purpose)
        request.verificationKey = WireDER.octets(try file.hex("client_verification_key")).encoded
        request.encryptionKey = WireDER.octets(try file.hex("client_encryption_key")).encoded
        request.fheType = UInt32(try item.number("fhe_type_number"))
        request.ciphertext = try item.hex("ciphertext")
        request.randomness = try item.hex("randomness")
        if request.generation == .ga {
            request.height = UInt32(try item.number("height"))
            request.proof = try item.hex("proof")
        } else {
            request.version = 1
            request.serversNeeded = 1
            request.keyHandle = try item.text("key_handle")
        }
        return request
    }

    /// Little-endian at the type's width.
    private static func value(_ item: VectorFile.Object) throws -> [UInt8] {
        let type = try generation(item).type(Int(try item.number("fhe_type_number")))
        let number = try #require(UInt64(try item.text("value")))
        return (0..<type.byteCount).map { UInt8(truncatingIfNeeded: number >> UInt64(8 * $0)) }
    }

    @Test("Requests and their digests come out as other programs computed them")
    func requestsAndTheirDigestsComeOutAsOtherProgramsComputedThem() throws {
        let file = try Self.file()
        for item in try VectorFile.cases("mvp.json") {
            for (purpose, name) in [(LegacyRequest.Purpose.decrypt, "decrypt"), (.reencrypt, "reencrypt")] {
                let encoded = try Self.request(item, file, purpose).encoded
                #expect(encoded == (try item.hex("\(name)_request_der")))
                #expect(try LegacyRequest.digest(ofEncoded: encoded) == (try item.hex("\(name)_digest")))
            }
        }
    }

    @Test("Request signatures verify, and with the other s they do not")
    func requestSignaturesVerifyAndWithTheOtherSTheyDoNot() throws {
        let file = try Self.file()
        let key = try file.hex("client_verification_key")
        for item in try VectorFile.cases("mvp.json") {
            for name in ["decrypt", "reencrypt"] {
                guard item["\(name)_request_signature_field"] != nil else { continue }
                let message = try item.hex("\(name)_request_der")
                let signature = try WireKeys.signature(item.hex("\(name)_request_signature_field"))
                let address = try ClientSignature.verify(message, key: key, signature: signature)
                #expect(address == WireKeys.address(of: try Secp256k1Point.uncompressed(key)))
                #expect {
                    try ClientSignature.verify(message + [0], key: key, signature: signature)
                } throws: { ($0 as? DecryptionError)?.reason == "bad-signature" }
                #expect {
                    try ClientSignature.verify(message, key: key, signature: Self.high(signature))
                } throws: { ($0 as? DecryptionError)?.reason == "high-s" }
            }
        }
    }

    /// r, n − s.
    private static func high(_ signature: [UInt8]) -> [UInt8] {
        let order: [UInt8] =
            [UInt8](repeating: 0xFF, count: 15) + [
                0xFE, 0xBA, 0xAE, 0xDC, 0xE6, 0xAF, 0x48, 0xA0, 0x3B, 0xBF, 0xD2, 0x5E, 0x8C, 0xD0, 0x36, 0x41, 0x41,
            ]
        var borrow = 0
        let digits = zip(order, signature[32...]).reversed().map { whole, part in
            let digit = Int(whole) - Int(part) - borrow
            borrow = digit < 0 ? 1 : 0
            return UInt8(truncatingIfNeeded: digit)
        }
        return signature[..<32] + digits.reversed()
    }

    @Test("Responses to decryptions come out as other programs computed them")
    func responsesToDecryptionsComeOutAsOtherProgramsComputedThem() throws {
        let file = try Self.file()
        for item in try VectorFile.cases("mvp.json") {
            let request = try Self.request(item, file, .decrypt)
            let plaintext = try LegacyResponses.plaintext(
                .of(Self.value(item)), request.fheType, request.generation
            ).secretlyEncoded().withUnsafeBytes { Array($0) }
            #expect(plaintext == (try item.hex("plaintext_der")))
            let signed = LegacyResponses.decryption(
                to: request, verificationKey: try file.hex("server_verification_key"), plaintext: plaintext,
                digest: try item.hex("decrypt_digest"))
            #expect(signed == (try item.hex("decrypt_response_payload_der")))
            let key = try VerificationKey(
                curve: .secp256k1, publicKey: Secp256k1Point.uncompressed(file.hex("server_verification_key")))
            #expect(try key.verify(item.hex("decrypt_response_signature"), message: signed, encoding: .p1363))
        }
    }

    @Test("Signcryptions hold the message, the signature and the keys that other programs put there")
    func signcryptionsHoldTheMessageTheSignatureAndTheKeysThatOtherProgramsPutThere() throws {
        let file = try Self.file()
        let secret = try SecretBytes(copying: file.hex("client_encryption_secret"))
        for item in try VectorFile.cases("mvp.json") {
            let request = try Self.request(item, file, .reencrypt)
            let parts = try item.object("signcryption")
            let message = try LegacyResponses.signcrypted(
                .of(Self.value(item)), request.fheType, digest: item.hex("reencrypt_digest"), request.generation
            ).withUnsafeBytes { Array($0) }
            #expect(message == (try item.hex("signcryption_message_der")))
            let signcryption = Signcryption(
                receiver: try file.hex("client_verification_key"), encryptionKey: try file.hex("client_encryption_key"),
                verificationKey: try file.hex("server_verification_key"))
            let key = try VerificationKey(
                curve: .secp256k1, publicKey: Secp256k1Point.uncompressed(file.hex("server_verification_key")))
            #expect(try key.verify(parts.hex("signature"), message: signcryption.signed(message), encoding: .p1363))
            let opened = try CryptoBox.open(
                parts.hex("ciphertext"), nonce: parts.hex("nonce"), from: parts.hex("server_enc_key"), to: secret)
            #expect(opened == (try parts.hex("plaintext")))
            #expect(opened.starts(with: message + (try parts.hex("signature"))))
            let der = WireDER.sequence([
                .vector(try parts.hex("ciphertext")), .vector(try parts.hex("nonce")),
                .octets(try parts.hex("server_enc_key")),
            ])
            #expect(der.encoded == (try parts.hex("der")))
        }
    }

    @Test("The signcryption recorded in December 2023 comes out again bit for bit")
    func theSigncryptionRecordedInDecember2023ComesOutAgainBitForBit() throws {
        let file = try VectorFile.read("real-2023-12.json")
        let parts = try file.object("signcryption")
        var signcryption = Signcryption(
            receiver: try file.hex("client_verification_key"), encryptionKey: try file.hex("client_encryption_key"),
            verificationKey: try file.hex("server_verification_key"))
        signcryption.hashesRawKeys = true
        let message = Array(try file.text("message_ascii").utf8)
        let key = try VerificationKey(
            curve: .secp256k1, publicKey: Secp256k1Point.uncompressed(file.hex("server_verification_key")))
        #expect(try key.verify(parts.hex("signature"), message: signcryption.signed(message), encoding: .p1363))
        let ephemeral = try AgreementKey(
            curve: .x25519, privateKey: SecretBytes(copying: file.hex("server_ephemeral_secret")))
        let sealed = try signcryption.seal(
            SecretBytes(copying: message), signature: parts.hex("signature"), ephemeral: ephemeral,
            nonce: parts.hex("nonce"))
        #expect(sealed == (try parts.hex("der")))
    }

    /// Its payload: both keys, the digest of what is asked for, and what randomises the signature.
    @Test("The request recorded in December 2023 comes out again bit for bit, and its signature holds")
    func theRequestRecordedInDecember2023ComesOutAgainBitForBitAndItsSignatureHolds() throws {
        let file = try VectorFile.read("real-2023-12.json")
        let request = try file.object("request")
        let recorded = try request.hex("der")
        let key = try file.hex("client_verification_key")
        let digest = try request.hex("digest")
        #expect(try Digest.sha3of256(request.hex("digest_of")) == digest)
        let payload = WireDER.sequence([
            .sequence([.octets(key), .octets(try file.hex("client_encryption_key"))]), .vector(digest),
            .vector(try request.hex("sig_randomization")),
        ])
        let signature = Array(recorded.suffix(64))
        #expect(WireDER.sequence([payload, .octets(signature)]).encoded == recorded)
        let point = try Secp256k1Point.uncompressed(key)
        #expect(
            try ClientSignature.verify(payload.encoded, key: key, signature: signature) == WireKeys.address(of: point))
        #expect {
            try ClientSignature.verify(payload.encoded, key: key, signature: Self.high(signature))
        } throws: { ($0 as? DecryptionError)?.reason == "high-s" }
        for place in [0, payload.encoded.count / 2, payload.encoded.count - 1] {
            var changed = payload.encoded
            changed[place] ^= 1
            #expect {
                try ClientSignature.verify(changed, key: key, signature: signature)
            } throws: { ($0 as? DecryptionError)?.reason == "bad-signature" }
        }
    }

    @Test("A result is boxed for no key that everybody could open")
    func aResultIsBoxedForNoKeyThatEverybodyCouldOpen() throws {
        let signcryption = Signcryption(
            receiver: [2] + [UInt8](repeating: 1, count: 32), encryptionKey: [UInt8](repeating: 0, count: 32),
            verificationKey: [2] + [UInt8](repeating: 1, count: 32))
        let message = try SecretBytes(copying: [1])
        #expect { try signcryption.seal(message, signature: [UInt8](repeating: 1, count: 64)) } throws: {
            ($0 as? LibCryptoError)?.code == .invalidInput
        }
    }
}

extension SecretBytes {
    init(copying bytes: [UInt8]) throws {
        self = try SecretBytes.make(count: bytes.count) { $0.copyBytes(from: bytes) }
    }
}

extension SharedSecret {
    static func of(_ bytes: [UInt8]) throws -> SharedSecret { SharedSecret(try SecretBytes(copying: bytes)) }
}

import LibCrypto
import SecretMemory
import TestSupport
import Testing
import WorkingKeys

/// Members of `keywrap.json`.
struct WrapVectors: Decodable {
    struct JWK: Decodable {
        let x: String
        let y: String?
        let d: String
    }
    struct Anonymous: Decodable {
        let curve, alg, apuSentHex, apuEffectiveHex, apvHex, zHex, cekHex, encryptedCekHex: String
        let recipient, epk: JWK
    }
    struct Authenticated: Decodable {
        let curve, alg, apuHex, apvHex, tagHex, zeHex, zsHex, cekHex, encryptedCekHex: String
        let recipient, sender, epk: JWK
    }
    struct Reference: Decodable {
        struct Recipient: Decodable {
            let recipientX, recipientD, wrappedCekB64Url: String
        }
        let alg, curve, senderX, senderD, epkX, epkD, apu, apv, tagB64Url, cekHex: String
        let recipients: [Recipient]
    }
    struct Derivation: Decodable { let zHex, algorithmId, apu, apv, derivedHex: String }
    let ecdh1PuReference: Reference
    let rfc7518AppendixC: Derivation
    let ecdhEs: [Anonymous]
    let ecdh1Pu: [Authenticated]
}

@Suite(.timeLimit(.minutes(10))) struct KeyWrappingTests {
    private let vectors: WrapVectors

    init() throws { vectors = try VectorFile.load("keywrap.json", as: WrapVectors.self) }

    func type(_ curve: String) throws -> KeyType {
        try #require(KeyType.allCases.first { $0.agreementCurve?.rawValue == curve })
    }

    private func working(_ jwk: WrapVectors.JWK, _ curve: String) throws -> WorkingKey {
        let material = try KeyMaterial(
            type: type(curve), prefixID: nil, secret: secret(VectorFile.base64URL(jwk.d)))
        return try WorkingKey(versions: [material], primary: 0)
    }

    private func agreement(_ jwk: WrapVectors.JWK, _ curve: String) throws -> AgreementKey {
        try AgreementKey(
            curve: #require(AgreementCurve(rawValue: curve)), privateKey: secret(VectorFile.base64URL(jwk.d)))
    }

    /// What senders outside may choose: every AES key wrap of both kinds, under a key derived here by the rules of the RFC.
    @Test(arguments: KeyType.allCases.filter { $0.agreementCurve != nil }, [(128, 16), (192, 24), (256, 32)])
    func everyKeyWrapOfEachKindUnwraps(type: KeyType, size: (bits: Int, bytes: Int)) throws {
        let curve = try #require(type.agreementCurve)
        let recipient = try WorkingKey(versions: [try KeyMaterial.generate(type)], primary: 0)
        let own = try #require(recipient.primary.rawPublicKey)
        let (ephemeral, sender) = (try AgreementKey.generate(curve), try AgreementKey.generate(curve))
        let (apu, apv, tag): ([UInt8], [UInt8], [UInt8]) = ([1, 2], [3], [4, 5, 6])
        func field(_ bytes: [UInt8]) -> [UInt8] { number(bytes.count) + bytes }
        func number(_ value: Int) -> [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) } }
        for isAuthenticated in [false, true] {
            let name = "ECDH-\(isAuthenticated ? "1PU" : "ES")+A\(size.bits)KW"
            let info = field(Array(name.utf8)) + field(apu) + field(apv) + number(size.bits)
            var common: [UInt8] = []
            for key in isAuthenticated ? [ephemeral, sender] : [ephemeral] {
                try key.agree(with: own).withUnsafeBytes { common += Array($0) }
            }
            let kek = try ConcatKDF.sha256(
                secret: secret(common), otherInfo: info + (isAuthenticated ? field(tag) : []), count: size.bytes)
            for length in [16, 24, 32, 64] {
                let contentKey = [UInt8](repeating: 7, count: length)
                var wrapped = WrappedKey(
                    keyID: "", encryptedCEK: try AESKeyWrap.wrap(secret(contentKey), under: kek),
                    ephemeral: try AgreementPublicKey(curve: curve, raw: ephemeral.publicKey), algorithm: name,
                    apu: apu,
                    apv: apv)
                let from = try AgreementPublicKey(curve: curve, raw: sender.publicKey)
                let opened = try KeyWrapping.unwrap(wrapped, with: recipient, sender: from, tag: tag)
                #expect(opened.withUnsafeBytes { Array($0) } == contentKey, "\(name)")
                for other in ["ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW"] where other != name {
                    wrapped.algorithm = other
                    let outcome = code {
                        _ = try KeyWrapping.unwrap(wrapped, with: recipient, sender: from, tag: tag)
                    }
                    #expect(outcome == .decryptionFailed)
                }
                wrapped.algorithm = "ECDH-ES+A512KW"
                let unknown = code { _ = try KeyWrapping.unwrap(wrapped, with: recipient, sender: from, tag: tag) }
                #expect(unknown == .invalidArgument)
            }
        }
    }

    func publicKey(_ jwk: WrapVectors.JWK, _ curve: String) throws -> AgreementPublicKey {
        try AgreementPublicKey(
            curve: curve, type: jwk.y == nil ? "OKP" : "EC", x: VectorFile.base64URL(jwk.x),
            y: jwk.y.map { try VectorFile.base64URL($0) } ?? [])
    }

    @Test func everyAnonymousVectorWrapsAndUnwraps() throws {
        #expect(vectors.ecdhEs.count == 14)
        for vector in vectors.ecdhEs {
            let epk = try agreement(vector.epk, vector.curve)
            let recipient = try publicKey(vector.recipient, vector.curve)
            #expect(try reveal(epk.agree(with: recipient.raw)) == hex(vector.zHex))
            let wrapped = WrappedKey(
                keyID: "", encryptedCEK: hex(vector.encryptedCekHex),
                ephemeral: try publicKey(vector.epk, vector.curve),
                algorithm: vector.alg, apu: hex(vector.apuEffectiveHex), apv: hex(vector.apvHex))
            let key = try working(vector.recipient, vector.curve)
            let cek = try KeyWrapping.unwrap(wrapped, with: key, sender: nil, tag: [])
            #expect(reveal(cek) == hex(vector.cekHex))
            let xc20p = vector.alg.hasSuffix("XC20PKW")
            let again = try KeyWrapping.wrap(
                cek, for: recipient, apu: hex(vector.apuSentHex), apv: hex(vector.apvHex), xc20p: xc20p, ephemeral: epk)
            #expect(again.apu == wrapped.apu)
            #expect(again.ephemeral == wrapped.ephemeral)
            #expect(again.algorithm == vector.alg)
            if !xc20p { #expect(again.encryptedCEK == wrapped.encryptedCEK) }
        }
    }

    @Test func everyAuthenticatedVectorWrapsAndUnwraps() throws {
        #expect(vectors.ecdh1Pu.count == 7)
        for vector in vectors.ecdh1Pu {
            let epk = try agreement(vector.epk, vector.curve)
            let recipient = try publicKey(vector.recipient, vector.curve)
            let sender = try publicKey(vector.sender, vector.curve)
            #expect(try reveal(epk.agree(with: recipient.raw)) == hex(vector.zeHex))
            #expect(try reveal(agreement(vector.sender, vector.curve).agree(with: recipient.raw)) == hex(vector.zsHex))
            let wrapped = WrappedKey(
                keyID: "", encryptedCEK: hex(vector.encryptedCekHex),
                ephemeral: try publicKey(vector.epk, vector.curve),
                algorithm: vector.alg, apu: hex(vector.apuHex), apv: hex(vector.apvHex))
            let key = try working(vector.recipient, vector.curve)
            let cek = try KeyWrapping.unwrap(wrapped, with: key, sender: sender, tag: hex(vector.tagHex))
            #expect(reveal(cek) == hex(vector.cekHex))
            let xc20p = vector.alg.hasSuffix("XC20PKW")
            let again = try KeyWrapping.wrap(
                cek, from: working(vector.sender, vector.curve), for: recipient, apu: hex(vector.apuHex),
                apv: hex(vector.apvHex), tag: hex(vector.tagHex), xc20p: xc20p, ephemeral: epk)
            #expect(again.algorithm == vector.alg)
            if !xc20p { #expect(again.encryptedCEK == wrapped.encryptedCEK) }
            for tag in [[], hex(vector.tagHex) + [0]] as [[UInt8]] {
                #expect(
                    code { _ = try KeyWrapping.unwrap(wrapped, with: key, sender: sender, tag: tag) }
                        == .decryptionFailed)
            }
            #expect(
                code { _ = try KeyWrapping.unwrap(wrapped, with: key, sender: recipient, tag: hex(vector.tagHex)) }
                    == .decryptionFailed)
            #expect(
                code { _ = try KeyWrapping.unwrap(wrapped, with: key, sender: nil, tag: hex(vector.tagHex)) }
                    == .invalidArgument)
        }
    }

    @Test func theDraftsNumbersAgree() throws {
        let vector = vectors.ecdh1PuReference
        #expect(vector.recipients.count == 2)
        let sender = WrapVectors.JWK(x: vector.senderX, y: nil, d: vector.senderD)
        let epk = WrapVectors.JWK(x: vector.epkX, y: nil, d: vector.epkD)
        let tag = try VectorFile.base64URL(vector.tagB64Url)
        for row in vector.recipients {
            let jwk = WrapVectors.JWK(x: row.recipientX, y: nil, d: row.recipientD)
            let wrapped = try KeyWrapping.wrap(
                secret(hex(vector.cekHex)), from: working(sender, vector.curve), for: publicKey(jwk, vector.curve),
                apu: Array(vector.apu.utf8), apv: Array(vector.apv.utf8), tag: tag,
                ephemeral: agreement(epk, vector.curve))
            // The draft wraps its 64-byte content key under A128KW, which this API gives to 32 bytes.
            #expect(wrapped.algorithm == "ECDH-1PU+A256KW")
            let published = WrappedKey(
                keyID: "", encryptedCEK: try VectorFile.base64URL(row.wrappedCekB64Url), ephemeral: wrapped.ephemeral,
                algorithm: vector.alg, apu: wrapped.apu, apv: wrapped.apv)
            let cek = try KeyWrapping.unwrap(
                published, with: working(jwk, vector.curve), sender: publicKey(sender, vector.curve), tag: tag)
            #expect(reveal(cek) == hex(vector.cekHex))
        }
    }

    @Test func concatKDFOfRFC7518() throws {
        let vector = vectors.rfc7518AppendixC
        func field(_ text: String) -> [UInt8] { [0, 0, 0, UInt8(text.utf8.count)] + Array(text.utf8) }
        let info = field(vector.algorithmId) + field(vector.apu) + field(vector.apv) + [0, 0, 0, 128]
        let derived = try ConcatKDF.sha256(secret: secret(hex(vector.zHex)), otherInfo: info, count: 16)
        #expect(reveal(derived) == hex(vector.derivedHex))
    }
}

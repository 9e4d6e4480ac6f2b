import SecretMemory
import TestSupport
import Testing
import WorkingKeys

/// Members of `aead_mac_edv.json`.
private struct CipherVectors: Decodable {
    struct Cipher: Decodable {
        let keyType, keyHex, messageAscii, associatedDataAscii, responseNonce, responseCiphertext: String
    }
    struct MAC: Decodable {
        let keyType, keyHex, dataAscii, responseMac: String
        let tinkKeyId: UInt32
    }
    struct Document: Decodable {
        let hmacKeyHex, storeName, recordKey, macHex: String
        let tinkKeyId: UInt32
    }
    let aead: [Cipher]
    let mac: MAC
    let edvDocumentId: Document
}

@Suite(.timeLimit(.minutes(10))) struct WorkingKeyVectorTests {
    private let vectors: CipherVectors

    init() throws { vectors = try VectorFile.load("aead_mac_edv.json", as: CipherVectors.self) }

    @Test func ciphertextsOfTheVectorsDecrypt() throws {
        #expect(vectors.aead.count == 4)
        for vector in vectors.aead {
            let type = try #require(KeyType(rawValue: vector.keyType))
            let version = try KeyMaterial(type: type, prefixID: 1, secret: secret(hex(vector.keyHex)))
            let key = try WorkingKey(versions: [version], primary: 0)
            let plaintext = try key.decrypt(
                ciphertext: VectorFile.base64(vector.responseCiphertext),
                nonce: VectorFile.base64(vector.responseNonce),
                associatedData: Array(vector.associatedDataAscii.utf8))
            #expect(plaintext == Array(vector.messageAscii.utf8))
        }
    }

    @Test func macsAreEqual() throws {
        let type = try #require(KeyType(rawValue: vectors.mac.keyType))
        let version = try KeyMaterial(
            type: type, prefixID: vectors.mac.tinkKeyId, secret: secret(hex(vectors.mac.keyHex)))
        let key = try WorkingKey(versions: [version], primary: 0)
        let mac = try key.mac(Array(vectors.mac.dataAscii.utf8))
        #expect(mac == (try VectorFile.base64(vectors.mac.responseMac)))
        #expect(mac.count == 37)
        try key.verifyMAC(mac, data: Array(vectors.mac.dataAscii.utf8))
    }

    @Test func documentIdentifiersAreMACs() throws {
        let vector = vectors.edvDocumentId
        let version = try KeyMaterial(
            type: .hmacSHA256Tag256, prefixID: vector.tinkKeyId, secret: secret(hex(vector.hmacKeyHex)))
        let key = try WorkingKey(versions: [version], primary: 0)
        #expect(try key.mac(Array((vector.storeName + vector.recordKey).utf8)) == hex(vector.macHex))
    }
}

import LibCrypto
import SecretMemory

/// The key schedule of HPKE in base mode with HKDF-SHA256 and AES-256-GCM.
///
/// - Source: RFC 9180 §5.1; §4 for the labels.
struct HPKEKeys: ~Copyable {
    let key: SecretBytes
    let nonce: [UInt8]

    init(_ suite: HybridSuite, sharedSecret: borrowing SecretBytes, info: [UInt8]) throws {
        let identifiers: [UInt16] = [suite.identifier, 0x0001, 0x0002]
        let labelled =
            Array("HPKE-v1".utf8) + Array("HPKE".utf8)
            + identifiers.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
        // An empty salt is a key of zeros for HMAC (RFC 5869 §2.2).
        let noSalt = try SecretBytes.make(count: 32) { _ in }
        let noIdentity = try HMAC.sha256(key: noSalt, labelled + Array("psk_id_hash".utf8))
        let purpose = try HMAC.sha256(key: noSalt, labelled + Array("info_hash".utf8) + info)
        let context = [0] + noIdentity + purpose
        let secret = try HMAC.sha256Secret(key: sharedSecret, labelled + Array("secret".utf8))
        func expansion(_ label: String, _ count: UInt8) -> [UInt8] {
            [0, count] + labelled + Array(label.utf8) + context + [1]
        }
        // Both before either is stored: a value of which one part is there cannot be given up.
        let nonce = Array(try HMAC.sha256(key: secret, expansion("base_nonce", 12)).prefix(12))
        let key = try HMAC.sha256Secret(key: secret, expansion("key", 32))
        self.key = key
        self.nonce = nonce
    }
}

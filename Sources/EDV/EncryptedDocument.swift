import Capabilities
import Encodings
import LibCrypto
import SecretMemory
public import WorkingKeys

/// A document encrypted for a keystore's recipient key: a JWE in flattened JSON serialization, A256GCM, ECDH-ES+A256KW.
///
/// Whoever knows the recipient's public key can make such a text: it hides its content and does not say who wrote it.
/// What is inside must prove itself.
///
/// - Source: RFC 7516 §5, §7.2.2; RFC 7518 §4.6, §5.3.
public struct EncryptedDocument: Sendable, Equatable {
    static let algorithm = "ECDH-ES+A256KW"
    static let encryption = "A256GCM"
    static let type = "EDVEncryptedDocument"

    /// Base64url of the header, exactly as authenticated.
    public var protected: String
    public var encryptedKey: [UInt8]
    /// 12 bytes.
    public var nonce: [UInt8]
    public var ciphertext: [UInt8]
    /// 16 bytes.
    public var tag: [UInt8]

    /// Encrypts for a P-256 key agreement key.
    ///
    /// - Parameters:
    ///   - recipient: A key of type NISTP256ECDHKW; its primary version is used.
    ///   - keyID: The key's name, which goes into the header.
    /// - Throws: `.internalFailure`.
    public init(encrypting content: [UInt8], for recipient: WorkingKey, keyID: String) throws(EDVError) {
        do {
            let key = try AgreementPublicKey(
                curve: .p256, raw: recipient.primary.rawPublicKey ?? [], keyID: keyID)
            let contentKey = try SecretBytes.random(count: AEADAlgorithm.aes256GCM.keyLength)
            let wrapped = try KeyWrapping.wrap(contentKey, for: key, apu: [], apv: [])
            let nonce = try Random.bytes(AEADAlgorithm.aes256GCM.nonceLength)
            let protected = Self.header(wrapped)
            let sealed = try AEAD.seal(
                content, key: contentKey, nonce: nonce, associatedData: Array(protected.utf8),
                algorithm: .aes256GCM)
            self.protected = protected
            self.nonce = nonce
            encryptedKey = wrapped.encryptedCEK
            ciphertext = Array(sealed.dropLast(AEADAlgorithm.aes256GCM.tagLength))
            tag = Array(sealed.suffix(AEADAlgorithm.aes256GCM.tagLength))
        } catch {
            throw EDVError(.internalFailure, "A document could not be encrypted: \(error)")
        }
    }

    /// Decrypts.
    ///
    /// - Throws: `.damaged` for another recipient's document, and for one of which any part was changed.
    public func decrypted(with recipient: WorkingKey, keyID: String) throws(EDVError) -> [UInt8] {
        guard let bytes = Base64.decode(protected, .either), let header = try? JSONNode(reading: bytes),
            header["alg"]?.text == Self.algorithm, header["enc"]?.text == Self.encryption,
            header["crit"] == nil, header["zip"] == nil
        else { throw .damaged("it is not encrypted with \(Self.algorithm) and \(Self.encryption)") }
        guard header["kid"]?.text?.isExactly(keyID) == true else {
            throw .damaged("it is encrypted for another keystore")
        }
        guard let epk = header["epk"], epk["kty"]?.text == "EC", epk["crv"]?.text == "P-256",
            let x = epk["x"]?.text.flatMap({ Base64.decode($0, .either) }),
            let y = epk["y"]?.text.flatMap({ Base64.decode($0, .either) }),
            let apu = Base64.decode(header["apu"]?.text ?? "", .either),
            let apv = Base64.decode(header["apv"]?.text ?? "", .either)
        else { throw .damaged("its header names no ephemeral key on P-256") }
        do {
            let wrapped = WrappedKey(
                keyID: keyID, encryptedCEK: encryptedKey,
                ephemeral: try AgreementPublicKey(curve: "P-256", type: "EC", x: x, y: y),
                algorithm: Self.algorithm, apu: apu, apv: apv)
            let contentKey = try KeyWrapping.unwrap(wrapped, with: recipient, sender: nil, tag: [])
            return try AEAD.open(
                ciphertext + tag, key: contentKey, nonce: nonce, associatedData: Array(protected.utf8),
                algorithm: .aes256GCM)
        } catch let error as WorkingKeyError where error.code == .internalFailure || error.code == .capacityExceeded {
            throw EDVError(.internalFailure, error.message)
        } catch {
            throw .damaged("it does not decrypt")
        }
    }

    /// Members in sorted order.
    private static func header(_ wrapped: WrappedKey) -> String {
        let width = wrapped.ephemeral.curve.fieldLength
        let x = Base64.encode(Array(wrapped.ephemeral.raw[1...width]), .url)
        let y = Base64.encode(Array(wrapped.ephemeral.raw[(width + 1)...]), .url)
        let text =
            #"{"alg":"\#(algorithm)","apu":"\#(Base64.encode(wrapped.apu, .url))","enc":"\#(encryption)","#
            + #""epk":{"kty":"EC","crv":"P-256","x":"\#(x)","y":"\#(y)"},"kid":\#(JSONText.quote(wrapped.keyID)),"#
            + #""typ":"\#(type)"}"#
        return Base64.encode(Array(text.utf8), .url)
    }

    // MARK: JSON

    var json: String {
        #"{"protected":"\#(protected)","encrypted_key":"\#(Base64.encode(encryptedKey, .url))","#
            + #""iv":"\#(Base64.encode(nonce, .url))","ciphertext":"\#(Base64.encode(ciphertext, .url))","#
            + #""tag":"\#(Base64.encode(tag, .url))"}"#
    }

    /// The header is kept as it stands, so nothing that would end its quotes is taken.
    init(_ node: JSONNode) throws(EDVError) {
        func bytes(_ name: String) -> [UInt8]? { node[name]?.text.flatMap { Base64.decode($0, .either) } }
        guard let protected = node["protected"]?.text, let key = bytes("encrypted_key"), let nonce = bytes("iv"),
            let ciphertext = bytes("ciphertext"), let tag = bytes("tag"),
            Base64.decode(protected, .either) != nil, nonce.count == AEADAlgorithm.aes256GCM.nonceLength,
            tag.count == AEADAlgorithm.aes256GCM.tagLength,
            node["aad"] == nil, node["unprotected"] == nil, node["recipients"] == nil
        else { throw .damaged("its jwe is not one of flattened form") }
        self.protected = protected
        self.nonce = nonce
        self.ciphertext = ciphertext
        self.tag = tag
        encryptedKey = key
    }
}

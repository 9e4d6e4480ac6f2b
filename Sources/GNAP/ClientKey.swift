import Encodings
import FoundationEssentials
import LibCrypto

/// The key a token is bound to, as the authorization server tells it: a JWK with P-256 or Ed25519.
struct ClientKey: Sendable {
    let key: VerificationKey
    /// JWK thumbprint (RFC 7638), base64url.
    let thumbprint: String

    /// - Throws: ``GNAPError`` with `.tokenRefused` for keys of other kinds and malformed ones.
    init(jwk: JSONNode) throws(GNAPError) {
        func coordinate(_ name: String) throws(GNAPError) -> (text: String, bytes: [UInt8]) {
            guard let text = jwk[name]?.text, let bytes = Base64.decode(Array(text.utf8), .url), bytes.count == 32
            else {
                throw GNAPError(.tokenRefused, "the token's key is malformed")
            }
            return (text, bytes)
        }
        let canonical: String
        do {
            switch (jwk["kty"]?.text.map { ExactText($0) }, jwk["crv"]?.text.map { ExactText($0) }) {
            case ("EC", "P-256"):
                let (x, y) = (try coordinate("x"), try coordinate("y"))
                key = try VerificationKey(curve: .p256, publicKey: [4] + x.bytes + y.bytes)
                canonical = #"{"crv":"P-256","kty":"EC","x":"\#(x.text)","y":"\#(y.text)"}"#
            case ("OKP", "Ed25519"):
                let x = try coordinate("x")
                key = try VerificationKey(curve: .ed25519, publicKey: x.bytes)
                canonical = #"{"crv":"Ed25519","kty":"OKP","x":"\#(x.text)"}"#
            default: throw GNAPError(.tokenRefused, "the token's key is neither P-256 nor Ed25519")
            }
            thumbprint = Base64.encode(try Digest.sha256(Array(canonical.utf8)), .url)
        } catch let error as GNAPError {
            throw error
        } catch {
            throw GNAPError(.tokenRefused, "the token's key is malformed")
        }
    }

    /// The algorithm's name in signature parameters.
    var algorithm: String { key.curve == .ed25519 ? "ed25519" : "ecdsa-p256-sha256" }

    func verifies(_ signature: [UInt8], _ base: [UInt8]) -> Bool {
        (try? key.verify(signature, message: base, encoding: .p1363)) ?? false
    }
}

import Encodings
import LibCrypto

/// SHA-256 thumbprints of public keys (RFC 7638), as unpadded base64url: 43 characters.
public enum JWKThumbprint {
    /// The thumbprint of an octet key pair (RFC 8037), such as Ed25519.
    ///
    /// - Parameter curve: The `crv` member; letters and digits only.
    public static func octetKeyPair(curve: String, x: [UInt8]) throws(WorkingKeyError) -> String {
        try hash(#"{"crv":"\#(curve)","kty":"OKP","x":"\#(Base64.encode(x, .url))"}"#)
    }

    /// The thumbprint of a key on a Weierstrass curve; coordinates have the field's full width.
    ///
    /// - Parameter curve: The `crv` member. TrustBloc writes "SECP256K1", unlike RFC 8812.
    public static func ellipticCurve(curve: String, x: [UInt8], y: [UInt8]) throws(WorkingKeyError) -> String {
        try hash(#"{"crv":"\#(curve)","kty":"EC","x":"\#(Base64.encode(x, .url))","y":"\#(Base64.encode(y, .url))"}"#)
    }

    private static func hash(_ members: String) throws(WorkingKeyError) -> String {
        let digest = try WorkingKeyError.translating { () throws(LibCryptoError) in
            try Digest.sha256(Array(members.utf8))
        }
        return Base64.encode(digest, .url)
    }
}

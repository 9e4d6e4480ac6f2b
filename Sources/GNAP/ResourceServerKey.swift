import Encodings
import FoundationEssentials
import LibCrypto
public import SecretMemory

/// The P-256 key with which this daemon signs its calls to the authorization server.
///
/// - Concurrency: any thread.
public struct ResourceServerKey: Sendable {
    let key: SigningKey
    /// JWK thumbprint (RFC 7638), base64url.
    public let keyID: String
    /// The public half as a JWK.
    public let jwk: String

    /// Reads a PEM file with an `EC PRIVATE KEY`, as `openssl ecparam -name prime256v1 -genkey` writes it, or a `PRIVATE KEY`
    /// (PKCS#8), as `openssl genpkey` does.
    ///
    /// - Throws: ``GNAPError`` with `.keyRefused`.
    public init(pem: borrowing SecretBytes) throws(GNAPError) {
        do {
            let problem = pem.withUnsafeBytes {
                PEMOutline($0).problemOfKey(allowed: ["PRIVATE KEY", "EC PRIVATE KEY"])
            }
            if let problem { throw GNAPError(.keyRefused, "the file \(problem)") }
            if let pkcs8 = try Self.content(pem, of: "PRIVATE KEY") {
                let key = try SigningKey.importing(pkcs8: pkcs8)
                guard key.curve == .p256 else {
                    throw GNAPError(.keyRefused, "the key is on \(key.curve.rawValue), not P-256")
                }
                try self.init(key: key)
            } else if let sec1 = try Self.content(pem, of: "EC PRIVATE KEY") {
                try self.init(key: try SigningKey.importing(sec1: sec1, curve: .p256))
            } else {
                throw GNAPError(.keyRefused, "the file holds no PEM block 'EC PRIVATE KEY' or 'PRIVATE KEY'")
            }
        } catch let error as GNAPError {
            throw error
        } catch {
            throw GNAPError(.keyRefused, "\(error)")
        }
    }

    init(key: SigningKey) throws(GNAPError) {
        let x = Base64.encode(key.publicKey[1...32], .url)
        let y = Base64.encode(key.publicKey[33...], .url)
        do throws(LibCryptoError) {
            let thumbprint = try Digest.sha256(Array(#"{"crv":"P-256","kty":"EC","x":"\#(x)","y":"\#(y)"}"#.utf8))
            keyID = Base64.encode(thumbprint, .url)
        } catch { throw GNAPError(.keyRefused, error.message) }
        self.key = key
        jwk = #"{"kty":"EC","kid":"\#(keyID)","crv":"P-256","alg":"ES256","x":"\#(x)","y":"\#(y)"}"#
    }

    /// What the first block of that name holds, decoded straight into locked memory; nil for none.
    private static func content(_ pem: borrowing SecretBytes, of label: String) throws -> SecretBytes? {
        try pem.withUnsafeBytes { text -> SecretBytes? in
            guard let block = PEMOutline(text).blocks.first(where: { $0.label.isExactly(label) }) else { return nil }
            let base64 = UnsafeRawBufferPointer(rebasing: text[block.content])
            return try SecretBytes.make(capacity: max(1, base64.count)) { output in
                guard let count = Base64.decode(lines: base64, into: output) else {
                    throw GNAPError(.keyRefused, "what stands between its BEGIN and END lines is no Base64")
                }
                return count
            }
        }
    }
}

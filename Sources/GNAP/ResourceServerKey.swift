import FoundationEssentials
import LibCrypto
public import SecretMemory
import StrictJSON
import TextEncodings

/// The P-256 key with which this daemon signs its calls to the authorization server.
///
/// - Concurrency: any thread.
public struct ResourceServerKey: Sendable {
    let key: SigningKey
    /// JWK thumbprint (RFC 7638), base64url.
    public let keyID: String
    /// The public half as a JWK.
    public let jwk: String

    private static let begin = "-----BEGIN EC PRIVATE KEY-----"
    private static let end = "-----END EC PRIVATE KEY-----"

    /// Reads a PEM file with an `EC PRIVATE KEY`, as `openssl ecparam -name prime256v1 -genkey` writes it.
    ///
    /// - Throws: ``GNAPError`` with `.keyRefused`.
    public init(pem: borrowing SecretBytes) throws(GNAPError) {
        do {
            let der = try Self.content(pem)
            try self.init(key: try SigningKey.importing(sec1: der, curve: .p256))
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

    /// The bytes between the lines of the one block, decoded straight into locked memory.
    private static func content(_ pem: borrowing SecretBytes) throws -> SecretBytes {
        try pem.withUnsafeBytes { text in
            guard let start = find(begin, in: text, from: 0), let stop = find(end, in: text, from: start.upperBound)
            else { throw GNAPError(.keyRefused, "the file holds no PEM block 'EC PRIVATE KEY'") }
            let base64 = UnsafeRawBufferPointer(rebasing: text[start.upperBound..<stop.lowerBound])
            return try SecretBytes.make(capacity: base64.count) { output in
                guard let count = decode(base64, into: output) else {
                    throw GNAPError(.keyRefused, "the PEM block is not base64")
                }
                return count
            }
        }
    }

    private static func find(_ marker: String, in text: UnsafeRawBufferPointer, from start: Int) -> Range<Int>? {
        let marker = Array(marker.utf8)
        guard text.count >= start + marker.count else { return nil }
        for index in start...(text.count - marker.count)
        where text[index..<index + marker.count].elementsEqual(marker) {
            return index..<index + marker.count
        }
        return nil
    }

    private static func decode(_ text: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Int? {
        var (bits, width, count, padding): (UInt32, UInt32, Int, Int) = (0, 0, 0, 0)
        for byte in text where ![0x0a, 0x0d, 0x20].contains(byte) {
            let value: UInt32
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = UInt32(byte) - 65
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = UInt32(byte) - 97 + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = UInt32(byte) - 48 + 52
            case UInt8(ascii: "+"): value = 62
            case UInt8(ascii: "/"): value = 63
            case UInt8(ascii: "="):
                padding += 1
                continue
            default: return nil
            }
            guard padding == 0 else { return nil }
            bits = bits << 6 | value
            width += 6
            if width >= 8 {
                width -= 8
                output[count] = UInt8(truncatingIfNeeded: bits >> width)
                count += 1
            }
        }
        return padding <= 2 && width < 6 ? count : nil
    }
}

import LibCrypto

/// The requester's own signature in generations GA and GB.
enum ClientSignature {
    /// Checks it and tells whose it is.
    ///
    /// - Parameters:
    ///   - message: What was signed.
    ///   - key: Compressed, 33 bytes.
    ///   - signature: r ‖ s.
    /// - Returns: The requester's Ethereum address, 20 bytes.
    static func verify(
        _ message: [UInt8], key: [UInt8], signature: [UInt8]
    ) throws(DecryptionError) -> [UInt8] {
        let point: [UInt8]
        do { point = try Secp256k1Point.uncompressed(key) } catch {
            throw .invalid("malformed-verification_key", "verification_key is no compressed point of secp256k1")
        }
        guard ECDSASignature.lowS(signature, curve: .secp256k1) == signature else {
            throw DecryptionError(.unauthenticated, "high-s", "the request's signature has the larger of the two s")
        }
        let holds: Bool
        do {
            holds = try VerificationKey(curve: .secp256k1, publicKey: point)
                .verify(signature, message: message, encoding: .p1363)
        } catch { throw .failed("the library for signatures failed") }
        guard holds else {
            throw DecryptionError(
                .unauthenticated, "bad-signature", "the request's signature is not that of its verification_key")
        }
        return WireKeys.address(of: point)
    }
}

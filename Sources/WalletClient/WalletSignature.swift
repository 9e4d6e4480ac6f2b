import Pairing
import TextEncodings

/// Signatures as text: adding up partial ones, and verifying.
public enum WalletSignature {
    /// The sum of partial signatures, each 64 hexadecimal digits.
    ///
    /// - Throws: `.invalidInput`, naming the signature by its place.
    public static func sum(_ signatures: [String]) throws(WalletError) -> String {
        guard signatures.count >= 2 else {
            throw WalletError(.invalidInput, "Two or more partial signatures are needed.")
        }
        var total = BN254.G1Point.infinity
        for (index, text) in signatures.enumerated() {
            total = total + (try signature(text, "Signature \(index + 1)"))
        }
        guard !total.isInfinity else {
            throw WalletError(.invalidInput, "The signatures cancel out: they are not of shares of one key.")
        }
        return Hexadecimal.encode(total.encoded)
    }

    /// Whether a signature is one of a public key (128 digits) on a hash (64 digits).
    ///
    /// - Throws: `.invalidInput` for what is no key, hash or signature at all.
    public static func verify(
        _ signature: String, hash: String, publicKey: String
    ) throws(WalletError) -> Bool {
        let bytes = try WalletText.decode(publicKey, count: 64, "A public key")
        let key: BN254.G2Point
        do throws(PairingError) {
            key = try BN254.G2Point(encoded: bytes)
        } catch {
            throw WalletError(.invalidInput, "The public key is none: \(error)")
        }
        return BLS0Chain.verify(
            try self.signature(signature, "The signature"), message: try message(hash),
            publicKey: BN254.PreparedPublicKey(key))
    }

    static func message(_ hash: String) throws(WalletError) -> BLS0Chain.HashedMessage {
        let bytes = try WalletText.decode(hash, count: 32, "A hash")
        do throws(PairingError) {
            return try BLS0Chain.HashedMessage(bytes)
        } catch {
            throw WalletError(.internalFailure, "The hash has no point: \(error)")
        }
    }

    private static func signature(_ text: String, _ what: String) throws(WalletError) -> BN254.G1Point {
        let bytes = try WalletText.decode(text, count: 32, what)
        do throws(PairingError) {
            return try BN254.G1Point(encoded: bytes)
        } catch {
            throw WalletError(.invalidInput, "\(what) is none: \(error)")
        }
    }
}

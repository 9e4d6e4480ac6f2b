import Encodings
import Pairing

/// Signatures as text: adding up partial ones, and verifying.
public enum WalletSignature {
    /// The sum of partial signatures, each in hexadecimal.
    ///
    /// - Throws: `.invalidInput`, naming the signature by its place.
    public static func sum(_ signatures: [String], suite: WalletSuite = .zeroChain) throws(WalletError) -> String {
        guard signatures.count >= 2 else {
            throw WalletError(.invalidInput, "Two or more partial signatures are needed.")
        }
        var total: [UInt8] = []
        for (index, text) in signatures.enumerated() {
            let what = "Signature \(index + 1)"
            let next = try WalletText.decode(text, count: suite.signatureLength, what)
            let sum: [UInt8]?
            do throws(PairingError) {
                sum = index == 0 ? try suite.scheme.checkedSignature(next) : try suite.scheme.signatureSum(total, next)
            } catch {
                throw WalletError(.invalidInput, "\(what) is none: \(error)")
            }
            guard let sum else {
                throw WalletError(.invalidInput, "The signatures cancel out: they are not of shares of one key.")
            }
            total = sum
        }
        return Hexadecimal.encode(total)
    }

    /// Whether a signature is one of a public key on a hash (64 digits).
    ///
    /// - Throws: `.invalidInput` for what is no key, hash or signature at all.
    public static func verify(
        _ signature: String, hash: String, publicKey: String, suite: WalletSuite = .zeroChain,
        purpose: WalletSuite.Purpose = .message
    ) throws(WalletError) -> Bool {
        let key = try WalletText.decode(publicKey, count: suite.publicKeyLength, "A public key")
        let bytes = try WalletText.decode(signature, count: suite.signatureLength, "The signature")
        let message = try WalletText.decode(hash, count: 32, "A hash")
        do throws(PairingError) {
            return try suite.scheme.verify(bytes, message, purpose: purpose.rawValue, publicKey: key)
        } catch {
            throw WalletError(.invalidInput, "The public key or the signature is none: \(error)")
        }
    }
}

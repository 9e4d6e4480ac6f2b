public import Decryption
import InclusionProofs
public import LibCrypto
import SecretMemory

/// What a user has: the key that values are re-encrypted for, and his account's.
public struct WalletKeys: Sendable {
    /// X25519.
    public let encryption: AgreementKey
    /// secp256k1.
    public let account: SigningKey

    public init(encryption: AgreementKey, account: SigningKey) {
        self.encryption = encryption
        self.account = account
    }

    /// The account's 20 bytes.
    public var address: [UInt8] { Self.address(of: account.publicKey) }

    /// The Ethereum address of a key given as 04 ‖ X ‖ Y.
    public static func address(of uncompressed: [UInt8]) -> [UInt8] {
        Array(Keccak256.hash(uncompressed.dropFirst()).suffix(20))
    }

    /// Signs that values are to be re-encrypted for the wallet's key.
    ///
    /// - Parameter unsigned: All but the signature.
    public func sign(_ unsigned: UserAuthorization) throws -> UserAuthorization {
        let digest = unsigned.digest(encryptionKey: encryption.publicKey)
        let signature = try account.sign(digest: digest)
        for isOdd in [false, true]
        where (try? Secp256k1Point.recover(digest: digest, signature: signature, isOdd: isOdd)) == account.publicKey {
            var signed = unsigned
            signed.signature = signature + [isOdd ? 28 : 27]
            return signed
        }
        throw ClientError("account-key", "the account's key signed, and its signature is not its own")
    }
}

import Decryption
import LibCrypto

extension WalletKeys {
    /// Opens a box of the daemon's and checks everything that is in it.
    ///
    /// - Parameters:
    ///   - receiver: Whom it was signed for: the request's verification key, or with the own service the account.
    /// - Returns: The value as it was signed, its type's number, and the digest of the request that it answers.
    func open(
        _ signcrypted: [UInt8], from server: ResultKey, receiver: [UInt8]
    ) throws(ClientError) -> (value: [UInt8], type: UInt32, digest: [UInt8]) {
        var outer = try Self.only(signcrypted)
        let (box, nonce) = (try outer.vector(), try outer.vector())
        let ephemeral = try outer.octets(32)
        try outer.end()
        guard nonce.count == CryptoBox.nonceLength else {
            throw ClientError("malformed-answer", "the box's nonce has not \(CryptoBox.nonceLength) bytes")
        }
        let inner: [UInt8]
        do { inner = try CryptoBox.open(box, nonce: nonce, from: ephemeral, to: encryption.privateKey()) } catch {
            throw ClientError(
                "box", "the box does not open: it was made for another wallet's key, or was changed on the way")
        }
        guard inner.count >= 128 else { throw ClientError("malformed-answer", "the box holds too little") }
        let message = Array(inner.dropLast(128))
        let tail = inner.suffix(128)
        let signature = Array(tail.prefix(64))
        let signcryption = Signcryption(
            receiver: receiver, encryptionKey: encryption.publicKey, verificationKey: server.compressed)
        do {
            guard Array(tail.dropFirst(64).prefix(32)) == (try Self.digest(server.compressed)) else {
                throw ClientError(
                    "result-key", "the box was made by a daemon with another result key than the one given")
            }
            guard Array(tail.suffix(32)) == (try Self.digest(ephemeral)) else {
                throw ClientError("box", "the box was not made with the key that stands beside it")
            }
            try server.check(signature, try signcryption.signed(message))
        } catch let error as ClientError { throw error } catch {
            throw ClientError("failed", "SHA3-256 is not available")
        }
        var read = try Self.only(message)
        var content = try read.sequence()
        let (value, type) = (try content.vector(), try content.type())
        try content.end()
        let digest = try read.vector()
        try read.end()
        return (value, type, digest)
    }

    private static func only(_ bytes: [UInt8]) throws(ClientError) -> DERReader {
        var reader = DERReader(bytes[...])
        let content = try reader.sequence()
        try reader.end()
        return content
    }

    private static func digest(_ key: [UInt8]) throws -> [UInt8] {
        try Digest.sha3of256(WireDER.octets(key).encoded)
    }
}

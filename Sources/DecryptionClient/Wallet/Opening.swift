import Decryption
import LibCrypto
import SecretMemory

/// What was in a box, in locked memory.
struct OpenedBox {
    /// As it was signed.
    var value: SharedSecret
    /// Its type's number.
    var type: UInt32
    /// Of the request that it answers.
    var digest: [UInt8]
}

extension WalletKeys {
    /// Opens a box of the daemon's and checks everything that is in it.
    ///
    /// - Parameter receiver: Whom it was signed for: the request's verification key, or with the own service the account.
    func open(
        _ signcrypted: [UInt8], from server: ResultKey, receiver: [UInt8]
    ) throws(ClientError) -> OpenedBox {
        var outer = try Self.only(signcrypted[...])
        let (box, nonce) = (try outer.vector(), try outer.vector())
        let ephemeral = Array(try outer.octets(32))
        try outer.end()
        guard nonce.count == CryptoBox.nonceLength else {
            throw ClientError("malformed-answer", "the box's nonce has not \(CryptoBox.nonceLength) bytes")
        }
        let inner: SharedSecret
        do throws(LibCryptoError) {
            inner = SharedSecret(
                try CryptoBox.openSecretly(box, nonce: nonce, from: ephemeral, to: encryption.privateKey()))
        } catch {
            if error.code == .capacityExceeded { throw .noMemory }
            throw ClientError(
                "box", "the box does not open: it was made for another wallet's key, or was changed on the way")
        }
        guard inner.count >= 128 else { throw ClientError("malformed-answer", "the box holds too little") }
        return try inner.withUnsafeBytes { inner throws(ClientError) in
            let tail = Array(inner.suffix(128))
            let message: SecretBytes
            do throws(SecretMemoryError) {
                message = try SecretBytes(copying: UnsafeRawBufferPointer(rebasing: inner.dropLast(128)))
            } catch { throw .noMemory }
            try check(message, tail, ephemeral, server, receiver)
            return try message.withUnsafeBytes { message throws(ClientError) in
                var read = try Self.only(message[...])
                var content = try read.sequence()
                let (value, type) = (try content.secretVector(), try content.type())
                try content.end()
                let digest = try read.vector()
                try read.end()
                return OpenedBox(value: value, type: type, digest: digest)
            }
        }
    }

    /// Checks who signed the message, for whom, and that signer and box belong together.
    private func check(
        _ message: borrowing SecretBytes, _ tail: [UInt8], _ ephemeral: [UInt8], _ server: ResultKey,
        _ receiver: [UInt8]
    ) throws(ClientError) {
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
            try server.check(Array(tail.prefix(64)), secret: signcryption.signed(secret: message))
        } catch let error as ClientError { throw error } catch {
            throw ClientError("failed", "a hash is not available, or there is no locked memory: raise `ulimit -l`")
        }
    }

    private static func only<Bytes>(_ bytes: Bytes) throws(ClientError) -> DERReader<Bytes> {
        var reader = DERReader(bytes)
        let content = try reader.sequence()
        try reader.end()
        return content
    }

    private static func digest(_ key: [UInt8]) throws -> [UInt8] {
        try Digest.sha3of256(WireDER.octets(key).encoded)
    }
}

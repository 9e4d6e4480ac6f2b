import Encodings
import InclusionProofs
import LibCrypto
import SecretMemory
import TFHE

/// An answer to a decryption of one of the generations.
public struct LegacyDecryption: Sendable {
    /// r ‖ s.
    public var signature: [UInt8]
    /// The server's, in DER.
    public var verificationKey: [UInt8]
    public var plaintext: [UInt8]
    /// The value in it, little-endian at the type's width.
    public var value: [UInt8]
    public var digest: [UInt8]
    public var grounds: AnswerGrounds
}

/// An answer to a re-encryption of one of the generations.
public struct LegacyReencryption: Sendable {
    /// The server's, in DER.
    public var verificationKey: [UInt8]
    public var signcrypted: [UInt8]
    public var digest: [UInt8]
    public var grounds: AnswerGrounds
}

extension DecryptionService {
    public func decrypt(_ request: LegacyRequest, caller: Caller) async throws(DecryptionError) -> LegacyDecryption {
        try await audited("decrypt", caller, key: request.keyHandle) { () async throws(DecryptionError) in
            let key = try await signer.legacyKey()
            let encoded = request.encoded
            if request.generation == .ga { _ = try Self.requester(request, encoded) }
            let digest = try LegacyRequest.digest(ofEncoded: encoded)
            let opened = try await open(try question(request, .decrypt), caller)
            let plaintext: SharedSecret
            let signed: SecretBytes
            do throws(SecretMemoryError) {
                plaintext = SharedSecret(
                    try LegacyResponses.plaintext(opened.value, request.fheType, request.generation).secretlyEncoded())
                signed = try LegacyResponses.decryption(
                    to: request, verificationKey: key.compressed, plaintext: .secretVector(plaintext), digest: digest
                ).secretlyEncoded()
            } catch { throw DecryptionKeyVault.translate(error) }
            let messageHash = try Self.hash(secret: signed)
            let signature = try await signer.sign(sequence: signed)
            let position = try await allow(
                "decrypt", caller, key: opened.evidence.key.id, details: opened.evidence.details, digest: digest,
                account: nil, signature: signature)
            return LegacyDecryption(
                signature: signature, verificationKey: WireDER.octets(key.compressed).encoded,
                // Recorded: from here it is public.
                plaintext: plaintext.withUnsafeBytes { Array($0) }, value: opened.value.withUnsafeBytes { Array($0) },
                digest: digest,
                grounds: grounds(
                    opened.evidence, .decrypt, messageHash: messageHash.withUnsafeBytes { Array($0) }, position))
        }
    }

    /// - Parameters:
    ///   - authorization: The user's typed signature, if the request has one.
    ///   - list: Of accounts that may have the value, if the request has one.
    public func reencrypt(
        _ request: LegacyRequest, authorization: UserAuthorization?, list: PermissibleDecryptors? = nil, caller: Caller
    ) async throws(DecryptionError) -> LegacyReencryption {
        try await audited("reencrypt", caller, key: request.keyHandle) { () async throws(DecryptionError) in
            let key = try await signer.legacyKey()
            let encoded = request.encoded
            // Generation GN has no requester's signature, so nobody but the user can say who he is.
            let isUnsigned = request.generation == .gn
            let requester = isUnsigned ? nil : try Self.requester(request, encoded)
            let encryptionKey =
                isUnsigned ? try Self.plainKey(request.content) : try WireKeys.encryptionKey(request.encryptionKey)
            let account = try account(authorization, requester: requester, encryptionKey: encryptionKey)
            let digest = try LegacyRequest.digest(ofEncoded: encoded)
            let opened: Opened
            do throws(DecryptionError) {
                opened = try await open(try question(request, .reencrypt(account: account), list), caller)
            } catch { throw Self.explained(error, authorization, encryptionKey, account) }
            let message: SharedSecret
            do throws(SecretMemoryError) {
                message = SharedSecret(
                    try LegacyResponses.signcrypted(
                        opened.value, request.fheType, digest: digest, request.generation))
            } catch { throw DecryptionKeyVault.translate(error) }
            let signcryption = Signcryption(
                receiver: isUnsigned ? account : try WireKeys.verificationKey(request.verificationKey),
                encryptionKey: encryptionKey,
                verificationKey: key.compressed)
            let sealed = try await seal(message, signcryption)
            var details = opened.evidence.details
            let sealedHash = try Self.hash(sealed)
            details["signcryption-digest"] = Hexadecimal.encode(sealedHash)
            let position = try await allow(
                "reencrypt", caller, key: opened.evidence.key.id, details: details, digest: digest, account: account,
                signature: nil)
            return LegacyReencryption(
                verificationKey: WireDER.octets(key.compressed).encoded, signcrypted: sealed, digest: digest,
                grounds: grounds(
                    opened.evidence, .reencrypt(account: account), messageHash: sealedHash, position))
        }
    }

    /// Signs and boxes.
    func seal(_ message: SharedSecret, _ signcryption: Signcryption) async throws(DecryptionError) -> [UInt8] {
        let signed: SecretBytes
        do throws(LibCryptoError) {
            signed = try message.withSecret { message throws(LibCryptoError) in
                try signcryption.signed(secret: message)
            }
        } catch { throw Self.unsealed(error) }
        let signature = try await signer.sign(sequence: signed)
        do throws(LibCryptoError) {
            return try message.withSecret { message throws(LibCryptoError) in
                try signcryption.seal(message, signature: signature)
            }
        } catch { throw Self.unsealed(error) }
    }

    private static func unsealed(_ error: LibCryptoError) -> DecryptionError {
        switch error.code {
        case .invalidInput:
            .invalid("small-order", "enc_key is a point of small order, which everybody could open")
        case .capacityExceeded:
            DecryptionError(.exhausted, "locked-memory", "there is no locked memory for a result now")
        default: .failed("the result could not be boxed")
        }
    }

    private static func hash(secret: borrowing SecretBytes) throws(DecryptionError) -> SecretBytes {
        do { return try Digest.sha256(secret: secret) } catch { throw .failed("SHA-256 failed") }
    }

    private static func plainKey(_ key: [UInt8]) throws(DecryptionError) -> [UInt8] {
        guard key.count == 32 else {
            throw .invalid("malformed-enc_key", "in a re-encryption of generation GN, request is a key of 32 bytes")
        }
        return key
    }

    /// Checks the requester's signature and gives his address.
    private static func requester(
        _ request: LegacyRequest, _ encoded: [UInt8]
    ) throws(DecryptionError) -> [UInt8] {
        try ClientSignature.verify(
            encoded, key: WireKeys.verificationKey(request.verificationKey),
            signature: WireKeys.signature(request.signature))
    }

    /// For whom a value is re-encrypted.
    func account(
        _ authorization: UserAuthorization?, requester: [UInt8]?, encryptionKey: [UInt8]
    ) throws(DecryptionError) -> [UInt8] {
        if let authorization {
            guard let domain = policy.domain else {
                throw DecryptionError(
                    .precondition, "authorization-not-configured",
                    "no domain of authorisations is configured (decryption-auth-chain-id, decryption-auth-contract)")
            }
            return try authorization.signer(encryptionKey: encryptionKey, domain: domain, now: now)
        }
        guard !policy.requiresUserAuthorization, let requester else {
            throw .denied(
                "no-authorization", "re-encryption needs the user's signed authorisation of enc_key (user_auth)")
        }
        return requester
    }

    /// A refused proof of an authorised account says whose signature was found.
    static func explained(
        _ error: DecryptionError, _ authorization: UserAuthorization?, _ encryptionKey: [UInt8], _ account: [UInt8]
    ) -> DecryptionError {
        guard error.kind == .denied, let authorization else { return error }
        var error = error
        error.message +=
            "; the authorisation was read as "
            + authorization.explanation(
                encryptionKey: encryptionKey, account: account)
        return error
    }

    private static let longestContent = 4_096

    private func question(
        _ request: LegacyRequest, _ permission: AccessList.Permission, _ list: PermissibleDecryptors? = nil
    ) throws(DecryptionError) -> Question {
        if request.generation == .gb {
            guard request.version == 1 else { throw .invalid("version", "version must be 1") }
            guard !request.keyHandle.isEmpty else { throw .invalid("malformed-key-id", "key_handle is empty") }
            guard request.serversNeeded <= 1 else {
                throw DecryptionError(
                    .precondition, "servers-needed", "this is one server; servers_needed is above 1")
            }
            guard !request.proof.isEmpty || list?.proofs.isEmpty == false else {
                throw .denied(
                    "no-proof", "nothing is decrypted without a proof; generation GB has it in field 102 of the request"
                )
            }
        }
        guard request.randomness.count <= 64 else {
            throw .invalid("randomness", "randomness has at most 64 bytes")
        }
        guard request.content.count <= Self.longestContent else {
            throw .invalid("request-length", "request has at most \(Self.longestContent) bytes")
        }
        let format = policy.legacyFormat ?? request.generation.format
        return Question(
            keyID: request.keyHandle, ciphertext: request.ciphertext, format: format,
            type: try request.generation.type(Int(request.fheType)), height: UInt64(request.height),
            proof: request.proof, permission: permission, list: list)
    }
}

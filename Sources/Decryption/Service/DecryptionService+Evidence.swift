public import Audit
import Encodings
import InclusionProofs
import LibCrypto
import LightClient
import TFHE

/// Signs what is said of a key; the daemon's is the issuer of all its attestations.
public protocol KeyAttesting: Sendable {
    /// - Parameter type: The key's type with everything that distinguishes it, in one text.
    /// - Returns: The attestation in its JSON form.
    /// - Throws: `unavailable` if the token does not sign.
    func attest(
        _ record: DecryptionKeyRecord, type: String, nonce: [UInt8]
    ) async throws(DecryptionError) -> String
}

/// Why an answer was given, for whoever wants a receipt of it.
public struct AnswerGrounds: Sendable {
    /// `tfhe:NAME:FINGERPRINT`.
    public var subject: String
    /// Chain, contract, proof's form, permission and height.
    public var restrictions: [String]
    /// SHA-256 of what was signed, or of the box that holds the signature.
    public var messageHash: [UInt8]
    /// Of the audit chain.
    public var record: AuditPosition
}

extension DecryptionKeyRecord {
    /// What attestations call the key's type.
    public var typeText: String {
        "tfhe-client-key message=\(parameters.messageModulus) carry=\(parameters.carryModulus) "
            + "order=\(parameters.order == .big ? "big" : "small") length=\(parameters.length) "
            + "fingerprint=\(Hexadecimal.encode(fingerprint))"
    }
}

extension DecryptionService {
    /// What an attestation says of a key, after opening it: that it lies here sealed, by which lock, and which key it is.
    ///
    /// - Parameters:
    ///   - nonce: 16 to 64 bytes.
    ///   - attesting: Nil: this daemon has nothing that could sign.
    public func attest(
        _ keyID: String, nonce: [UInt8], by attesting: (any KeyAttesting)?, caller: Caller
    ) async throws(DecryptionError) -> String {
        try await audited("attestation", caller, key: keyID) { () async throws(DecryptionError) in
            guard (16...64).contains(nonce.count) else {
                throw .invalid("malformed-nonce", "a nonce has 16 to 64 bytes")
            }
            guard let attesting else {
                throw DecryptionError(.unimplemented, "no-attestations", "this daemon signs no attestations")
            }
            let record = try await record(keyID)
            let key = try await keys.open(record)
            let fingerprint: [UInt8]
            do { fingerprint = try key.fingerprint() } catch { throw .failed("the key could not be hashed") }
            guard fingerprint == record.fingerprint else {
                throw DecryptionError(.failed, "key-does-not-open", "another key lies under this name")
            }
            let attestation = try await attesting.attest(record, type: record.typeText, nonce: nonce)
            do {
                _ = try await audit.record(
                    AuditEvent(
                        front: "decryption", actor: caller.name, operation: "attestation", subject: record.id,
                        outcome: .allowed, reason: "ok", requestID: caller.requestID,
                        details: ["fingerprint": Hexadecimal.encode(fingerprint)]))
            } catch { throw Self.noRecord }
            return attestation
        }
    }

    /// A receipt that `kmsd receipt verify` checks offline.
    public func receipt(_ grounds: AnswerGrounds) async throws(DecryptionError) -> String {
        guard let receipts else {
            throw DecryptionError(.unimplemented, "no-receipts", "this daemon signs no receipts")
        }
        do throws(AuditError) {
            return try await receipts.issue(
                policyHash: try policyHash(), restrictions: grounds.restrictions, subject: grounds.subject,
                messageHash: grounds.messageHash, record: grounds.record
            ).json
        } catch {
            throw DecryptionError(
                .unavailable, "no-receipt", "the receipt cannot be signed now; ask without x-receipt-request")
        }
    }

    func grounds(
        _ evidence: Evidence, _ permission: AccessList.Permission, messageHash: [UInt8], _ record: AuditPosition
    ) -> AnswerGrounds {
        grounds(
            key: evidence.key.id, fingerprint: evidence.key.fingerprint, height: evidence.header.height, permission,
            messageHash: messageHash, record)
    }

    func grounds(
        key: String, fingerprint: [UInt8], height: Int64, _ permission: AccessList.Permission, messageHash: [UInt8],
        _ record: AuditPosition
    ) -> AnswerGrounds {
        let whom =
            switch permission {
            case .decrypt: "decrypt"
            case .reencrypt(let account): "reencrypt:0x\(Hexadecimal.encode(account))"
            }
        return AnswerGrounds(
            subject: "tfhe:\(key):\(Hexadecimal.encode(fingerprint))",
            restrictions: [
                "chain:\(headers.chainID)", "contract:0x\(Hexadecimal.encode(policy.accessList.contract))",
                "height:\(height)", "permission:\(whom)", "proof-form:\(policy.proofForm.rawValue)",
            ], messageHash: messageHash, record: record)
    }

    /// SHA-256 of what the operator decided, each part behind its length.
    private func policyHash() throws(AuditError) -> [UInt8] {
        var fields = RecordFields(.decryptionPolicy)
        fields.append(headers.chainID)
        fields.append(policy.accessList.contract)
        fields.append(policy.accessList.base)
        fields.append(UInt64(policy.accessList.decryptOffset))
        fields.append(policy.accessList.reencryptOffset.map { [$0] } ?? [])
        fields.append(policy.proofForm.rawValue)
        fields.append(UInt64(policy.maximumAge))
        fields.append(UInt64(policy.requiresUserAuthorization ? 1 : 0))
        fields.append(policy.domain.map { RecordFields(number: $0.chainID, bytes: $0.contract).bytes } ?? [])
        do { return try Digest.sha256(fields.bytes) } catch {
            throw AuditError(.unavailable, "SHA-256 failed")
        }
    }

    func currentPolicy() throws(DecryptionError) -> [UInt8] {
        do throws(AuditError) { return try policyHash() } catch { throw .failed("SHA-256 failed") }
    }

    static func hash(_ bytes: [UInt8]) throws(DecryptionError) -> [UInt8] {
        do { return try Digest.sha256(bytes) } catch { throw .failed("SHA-256 failed") }
    }

    static let noRecord = DecryptionError(
        .unavailable, "audit", "the audit chain takes no record, so nothing is answered; try again later")
}

extension RecordFields {
    fileprivate init(number: UInt64, bytes: [UInt8]) {
        self.init(capacity: 64)
        append(number)
        append(bytes)
    }
}

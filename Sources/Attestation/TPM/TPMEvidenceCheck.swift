import Encodings
import LibCrypto
import Token
import WorkingKeys

/// Checks a certification against the statement that contains it.
struct TPMEvidenceCheck {
    let statement: AttestationStatement
    let certification: AttestationStatement.Certification
    /// SHA-256 of the attestation key's SubjectPublicKeyInfo in hex; nil takes the one that the statement names.
    let expectedKey: String?

    /// - Returns: The attestation key's fingerprint.
    /// - Throws: What is wrong.
    func run() throws(AttestationFinding) -> String {
        let key = try TPMPublicArea(certification.publicArea.bytes)
        let signer = try TPMPublicArea(certification.attestationKey.bytes)
        let said = try TPMCertification(certification.attest.bytes)
        let signature = try TPMSignature(certification.signature.bytes)
        let fingerprint = try checkSigner(signer, signature)
        try checkNonce(said)
        guard said.name == key.name else {
            throw AttestationFinding(.otherKey, "The TPM certified another key than the one shown.")
        }
        try checkPlace(said, signer)
        try checkKey(key)
        return fingerprint
    }

    // MARK: Who signed

    private func checkSigner(
        _ signer: TPMPublicArea, _ signature: TPMSignature
    ) throws(AttestationFinding) -> String {
        let bound: TPMPublicArea.Attributes = [.fixedTPM, .fixedParent, .sensitiveDataOrigin, .restricted, .sign]
        guard signer.attributes.subtracting(.use) == bound, let point = signer.point(curve: 0x0003, width: 32),
            let key = try? VerificationKey(curve: .p256, publicKey: point)
        else {
            throw AttestationFinding(
                .attestationKey,
                "What signed is no attestation key: not P-256, not restricted to the TPM's own statements, or not bound "
                    + "to its TPM.")
        }
        guard let fingerprint = (try? Digest.sha256(key.subjectPublicKeyInfo)).map(Hexadecimal.encode) else {
            throw .form("it could not be hashed")
        }
        guard expectedKey == nil || expectedKey == fingerprint else {
            throw AttestationFinding(
                .attestationKey, "Another attestation key than the expected one signed: \(fingerprint).")
        }
        let isGood =
            (try? key.verify(signature.fixedWidth, message: certification.attest.bytes, encoding: .p1363)) ?? false
        guard isGood else {
            throw AttestationFinding(.tpmSignature, "The attestation key did not sign this certification.")
        }
        return fingerprint
    }

    /// As ``HSMBridge/ResidentKeyOperations/attest(_:nonce:)`` of a TPM puts the nonce in.
    private func checkNonce(_ said: TPMCertification) throws(AttestationFinding) {
        let nonce = statement.nonce.bytes
        let expected = nonce.count > 32 ? try? Digest.sha256(nonce) : nonce
        guard expected == said.extraData else {
            throw AttestationFinding(.tpmNonce, "The TPM made this certification for another nonce.")
        }
    }

    // MARK: Where the keys are

    /// A qualified name is the hash of the parent's qualified name and the name (part 1, section 16); the storage key's
    /// parent is the owner hierarchy. So both keys are below the storage key whose name is the token's serial number.
    private func checkPlace(_ said: TPMCertification, _ signer: TPMPublicArea) throws(AttestationFinding) {
        let owner: [UInt8] = [0x40, 0x00, 0x00, 0x01]
        guard let storage = Hexadecimal.decode(statement.token.serial), storage.count == 34,
            storage.starts(with: [0x00, 0x0B])
        else { throw AttestationFinding(.otherTPM, "The token's serial number is not the name of a storage key.") }
        let parent = try tpmName(owner + storage)
        guard try said.qualifiedSigner == tpmName(parent + signer.name),
            try said.qualifiedName == tpmName(parent + said.name)
        else {
            throw AttestationFinding(
                .otherTPM, "The keys are not below the storage key that names the token; they are another TPM's.")
        }
    }

    // MARK: What the key is

    private func checkKey(_ key: TPMPublicArea) throws(AttestationFinding) {
        guard key.attributes.isSuperset(of: [.fixedTPM, .fixedParent]),
            key.attributes.isDisjoint(with: [.encryptedDuplication, .restricted])
        else { throw AttestationFinding(.keyAttributes, "The key is not bound to its TPM: it could be duplicated.") }
        // Stated for every key that is said to be born in the TPM; for another one it would say too much.
        guard statement.provenance != Origin.bornInToken || key.attributes.contains(.sensitiveDataOrigin) else {
            throw AttestationFinding(
                .keyAttributes, "The key was put into the TPM from outside, but is said to be born there.")
        }
        guard let type = KeyType(exactly: statement.keyType) else {
            throw AttestationFinding(.contradiction, "The key type is not known.")
        }
        if type == .hmacSHA256Tag256 {
            guard case .hmac = key.kind, key.attributes.contains(.sign), !key.attributes.contains(.decrypt) else {
                throw AttestationFinding(.otherKey, "The certified key is not of the type that the statement names.")
            }
            return
        }
        let signs = type.signingCurve != nil
        guard let (curve, width) = Self.curve(type), let point = key.point(curve: curve, width: width),
            key.attributes.contains(.sign) == signs, key.attributes.contains(.decrypt) != signs
        else { throw AttestationFinding(.otherKey, "The certified key is not of the type that the statement names.") }
        guard let exported = try? PublicKeyEncoding.export(point, type: type),
            exported == statement.publicKey?.bytes
        else { throw AttestationFinding(.otherKey, "The certified key is not the one of the statement.") }
    }

    /// The number in the TCG Algorithm Registry (table 4) and bytes of a coordinate.
    private static func curve(_ type: KeyType) -> (UInt16, Int)? {
        switch type.signingCurve?.rawValue ?? type.agreementCurve?.rawValue {
        case "P-256": (0x0003, 32)
        case "P-384": (0x0004, 48)
        case "P-521": (0x0005, 66)
        default: nil
        }
    }
}

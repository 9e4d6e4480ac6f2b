import Attestation
import Encodings
import Foundation
import LibCrypto
import Token
import WorkingKeys

/// Makes attestations in software, down to the TPM's structures. With nothing changed they are as an honest daemon on an
/// honest TPM would give them, so that each test changes one thing.
struct Forger {
    static let bound: UInt32 = 1 << 1 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 10 | 1 << 18
    static let restricted: UInt32 = 1 << 16
    static let nonce = [UInt8](repeating: 0x5A, count: 32)

    let audit: SigningKey
    let attestationKey: SigningKey
    let key: SigningKey
    var signingKey: SigningKey
    var storageName = [0x00, 0x0B] + (0..<32).map { UInt8($0) }

    var magic: UInt32 = 0xFF54_4347
    var type: UInt16 = 0x8017
    var keyAttributes = Self.bound
    var signerAttributes = Self.bound | Self.restricted
    var extraData = Self.nonce
    var certifiedName: [UInt8]?
    /// Between the owner hierarchy and the keys, in place of the storage key.
    var parentOfKey: [UInt8]?
    var parentOfSigner: [UInt8]?

    init() throws {
        audit = try SigningKey.generate(.p256)
        attestationKey = try SigningKey.generate(.p256)
        key = try SigningKey.generate(.p256)
        signingKey = attestationKey
    }

    // MARK: The TPM's structures

    static func sized(_ bytes: [UInt8]) -> [UInt8] { number(UInt16(bytes.count)) + bytes }

    static func number(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.bigEndian, Array.init) }

    static func publicArea(_ key: SigningKey, _ attributes: UInt32) -> [UInt8] {
        let isRestricted = attributes & restricted != 0
        return number(UInt16(0x0023)) + number(UInt16(0x000B)) + number(attributes)
            + sized([UInt8](repeating: 7, count: 32)) + number(UInt16(0x0010))
            + (isRestricted ? number(UInt16(0x0018)) + number(UInt16(0x000B)) : number(UInt16(0x0010)))
            + number(UInt16(3)) + number(UInt16(0x0010)) + sized(Array(key.publicKey[1...32]))
            + sized(Array(key.publicKey[33...]))
    }

    static func name(_ bytes: [UInt8]) throws -> [UInt8] { [0x00, 0x0B] + (try Digest.sha256(bytes)) }

    private func parent(_ name: [UInt8]?) throws -> [UInt8] {
        try Self.name([0x40, 0x00, 0x00, 0x01] + (name ?? storageName))
    }

    func attest() throws -> [UInt8] {
        let signer = try Self.name(Self.publicArea(attestationKey, signerAttributes))
        let certified = try certifiedName ?? Self.name(Self.publicArea(key, keyAttributes))
        return Self.number(magic) + Self.number(type)
            + Self.sized(try Self.name(try parent(parentOfSigner) + signer)) + Self.sized(extraData)
            + Self.number(UInt64(1000)) + Self.number(UInt32(1)) + Self.number(UInt32(2)) + [1]
            + Self.number(UInt64(3)) + Self.sized(certified)
            + Self.sized(try Self.name(try parent(parentOfKey) + certified))
    }

    func evidence() throws -> TPMEvidence {
        let attest = try attest()
        let made = try signingKey.sign(attest, encoding: .p1363)
        return TPMEvidence(
            publicArea: Self.publicArea(key, keyAttributes), attest: attest,
            signature: Self.number(UInt16(0x0018)) + Self.number(UInt16(0x000B))
                + Self.sized(Array(made.prefix(32))) + Self.sized(Array(made.suffix(32))),
            attestationKey: Self.publicArea(attestationKey, signerAttributes))
    }

    // MARK: Statements

    func statement() throws -> AttestationStatement {
        AttestationStatement(
            instance: String(repeating: "ab", count: 16),
            token: TokenIdentity(
                label: "tpm", serial: Hexadecimal.encode(storageName), manufacturer: "IBM", model: "SW"),
            auditKey: audit.subjectPublicKeyInfo, keystore: "c9o5vqkv5ig3jl0q9m3g", key: "k", keyVersion: 1,
            keyType: "ECDSAP256IEEEP1363", created: 1_767_225_600_123, publicKey: key.publicKey,
            fingerprint: try Digest.sha256(key.publicKey), protection: "resident", provenance: "born-in-token",
            evidence: AttestationStatement.Evidence(.tpm(try evidence())), nonce: Self.nonce, time: 1_767_225_600_456)
    }

    /// A sealed key's.
    func sealed(_ provenance: String) throws -> AttestationStatement {
        var statement = try statement()
        statement.protection = "sealed"
        statement.provenance = provenance
        statement.evidence = AttestationStatement.Evidence(locks: [
            AttestationStatement.Lock(kind: "token", identity: "pkcs11:serial=1")
        ])
        return statement
    }

    /// A resident key's on a PKCS #11 token.
    func onToken(_ change: (inout PKCS11Evidence) -> Void = { _ in }) throws -> AttestationStatement {
        var evidence = PKCS11Evidence(
            key: PKCS11KeyAttributes(
                objectClass: "CKO_PRIVATE_KEY", keyType: "CKK_EC", sensitive: true, alwaysSensitive: false,
                extractable: false, neverExtractable: false, local: false, mechanisms: ["CKM_ECDSA"]),
            wrappingKey: PKCS11KeyAttributes(
                objectClass: "CKO_SECRET_KEY", keyType: "CKK_AES", sensitive: true, alwaysSensitive: true,
                extractable: false, neverExtractable: true, local: true, mechanisms: ["CKM_AES_KEY_WRAP_PAD"]))
        change(&evidence)
        var statement = try statement()
        statement.evidence = AttestationStatement.Evidence(.pkcs11(evidence))
        return statement
    }

    func sign(_ statement: AttestationStatement) throws -> SignedAttestation {
        SignedAttestation(
            statement, signature: try audit.sign(SignedAttestation.signed(statement), encoding: .p1363))
    }

    /// One that expects this forger's audit key and nonce.
    func verifier(_ change: (inout AttestationVerifier) -> Void = { _ in }) throws -> AttestationVerifier {
        var verifier = AttestationVerifier()
        verifier.auditKey = Hexadecimal.encode(try Digest.sha256(audit.subjectPublicKeyInfo))
        verifier.nonce = Self.nonce
        change(&verifier)
        return verifier
    }

    func finding(_ statement: AttestationStatement) throws -> AttestationFinding.Code? {
        try verifier().verify(try sign(statement)).finding?.code
    }
}

import Audit
import Foundation
import LibCrypto
public import Token

/// Lets the token's audit key sign statements about keys.
///
/// - Concurrency: any number of calls at once; one token operation each.
public struct AttestationIssuer: Sendable {
    /// What is known of a key from its authenticated record and from the device.
    public struct Subject: Sendable {
        public var keystore: String
        public var key: String
        public var keyVersion: UInt64
        public var keyType: String
        /// Milliseconds since 1970.
        public var created: Int64
        public var publicKey: [UInt8]?
        public var protection: String
        public var provenance: String
        public var evidence: AttestationStatement.Evidence

        public init(
            keystore: String, key: String, keyVersion: UInt64, keyType: String, created: Int64, publicKey: [UInt8]?,
            protection: String, provenance: String, evidence: AttestationStatement.Evidence
        ) {
            self.keystore = keystore
            self.key = key
            self.keyVersion = keyVersion
            self.keyType = keyType
            self.created = created
            self.publicKey = publicKey
            self.protection = protection
            self.provenance = provenance
            self.evidence = evidence
        }
    }

    private let token: any Signing
    private let manifest: TokenManifest

    /// - Parameter manifest: Of `token`.
    public init(token: any Signing, manifest: TokenManifest) {
        self.token = token
        self.manifest = manifest
    }

    /// - Parameter nonce: 16 to 64 bytes of whoever asks.
    /// - Throws: ``AttestationError`` with `.unavailable` if the token does not sign.
    public func issue(_ subject: Subject, nonce: [UInt8]) async throws(AttestationError) -> SignedAttestation {
        let key = try await auditKey()
        let statement = AttestationStatement(
            instance: manifest.instance, token: manifest.token, auditKey: key.subjectPublicKeyInfo,
            keystore: subject.keystore, key: subject.key, keyVersion: subject.keyVersion, keyType: subject.keyType,
            created: subject.created, publicKey: subject.publicKey,
            fingerprint: try subject.publicKey.map(Self.fingerprint), protection: subject.protection,
            provenance: subject.provenance, evidence: subject.evidence, nonce: nonce,
            time: Int64((Date().timeIntervalSince1970 * 1000).rounded(.down)))
        let message = SignedAttestation.signed(statement)
        let signature = try await sign(message)
        // A token that errs must not make the daemon give out what nobody can check.
        guard (try? key.key.verify(signature, message: message, encoding: .p1363)) ?? false else {
            throw AttestationError(.unavailable, "The token made a signature that its audit key does not verify.")
        }
        return SignedAttestation(statement, signature: signature)
    }

    private func auditKey() async throws(AttestationError) -> AuditPublicKey {
        let description: PublicKeyDescription
        do {
            description = try await token.publicKey(of: .audit)
        } catch {
            throw AttestationError(.unavailable, "The token does not show its audit key: \(error)")
        }
        guard description.fingerprint == manifest[.audit]?.fingerprint,
            let key = try? AuditPublicKey(subjectPublicKeyInfo: description.subjectPublicKeyInfo)
        else { throw AttestationError(.unavailable, "The token's audit key is not the manifest's.") }
        return key
    }

    private func sign(_ message: [UInt8]) async throws(AttestationError) -> [UInt8] {
        do {
            return try await token.sign(message, with: .audit)
        } catch {
            throw AttestationError(.unavailable, "The token does not sign the statement: \(error)")
        }
    }

    private static func fingerprint(_ publicKey: [UInt8]) throws(AttestationError) -> [UInt8] {
        do {
            return try Digest.sha256(publicKey)
        } catch {
            throw AttestationError(.unavailable, "A public key could not be hashed: \(error)")
        }
    }
}

import Attestation
import Encodings
import Foundation
import Hummingbird
import Keystores
import NIOCore
import Token

/// The route that attests keys.
struct AttestationController: Sendable {
    let service: any KeyManaging
    /// Nil: this daemon has no token whose audit key could sign.
    let issuer: AttestationIssuer?

    func attest(_ call: RouteCall) async throws -> Response {
        let nonce = try Self.nonce(try QueryParameters(call.query, allowed: ["nonce"])["nonce"])
        guard let issuer else {
            throw KMSError(
                .mechanismUnsupported, "This daemon has no token, so nothing could sign what it says of a key.")
        }
        let facts = try await service.facts(keystore: call.keystore, key: call.key, nonce: nonce, caller: call.caller)
        let attestation: SignedAttestation
        do {
            attestation = try await issuer.issue(Self.subject(facts, keystore: call.keystore), nonce: nonce)
        } catch {
            throw KMSError(.tokenUnavailable, "The token does not sign now.", underlying: error)
        }
        return Responses.json(ByteBuffer(string: attestation.json + "\n"))
    }

    private static func subject(_ facts: KeyFacts, keystore: String) -> AttestationIssuer.Subject {
        let locks = facts.locks.map { AttestationStatement.Lock(kind: $0.kind, identity: $0.identity) }
        return AttestationIssuer.Subject(
            keystore: keystore, key: facts.metadata.id, keyVersion: facts.version.version,
            keyType: facts.metadata.type,
            created: Int64((facts.version.createdAt.timeIntervalSince1970 * 1000).rounded()),
            publicKey: facts.metadata.publicKey.map { [UInt8]($0) }, protection: facts.metadata.protection.rawValue,
            provenance: facts.metadata.provenance.rawValue,
            evidence: facts.evidence.map { AttestationStatement.Evidence($0) }
                ?? AttestationStatement.Evidence(locks: locks))
    }

    private static func nonce(_ text: String?) throws -> [UInt8] {
        guard let text else {
            throw RequestError.badRequest(
                "the query parameter 'nonce' is missing; give 16 to 64 random bytes in lower-case hexadecimal")
        }
        guard let nonce = Hexadecimal.decode(text), SignedAttestation.nonceLengths.contains(nonce.count) else {
            throw RequestError.badRequest(
                "the query parameter 'nonce' is not 16 to 64 bytes in lower-case hexadecimal")
        }
        return nonce
    }
}

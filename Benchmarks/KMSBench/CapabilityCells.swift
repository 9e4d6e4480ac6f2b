import Capabilities
import Foundation
import LibCrypto

/// Verifying a request that invokes a delegated capability: the first time, when the capability is remembered, with a new
/// signature of a signer who is remembered too, and when the very same signature comes again.
enum CapabilityCells {
    private static let target = "https://kms.example.com/v1/keystores/c0ekinlioud42c84qs9g"
    private static let created = "2026-01-01T00:00:00Z"
    private static let now: Int64 = 1_767_225_600

    static func measure() throws {
        let (owner, helper) = (try Party(), try Party())
        let root = Capability(
            id: target, invoker: owner.did.description, allowedAction: ["sign", "verify"],
            invocationTarget: Capability.Target(id: target, type: "urn:kms:keystore"))
        let child = try CapabilityProofs.signed(
            Capability(
                id: "urn:uuid:00000000-0000-4000-8000-000000000000", invoker: helper.did.description,
                parentCapability: target, allowedAction: ["sign"], invocationTarget: root.invocationTarget),
            verificationMethod: owner.did, created: created, nonce: Random.bytes(64), chain: [target]
        ) { try owner.key.sign($0, encoding: .p1363) }
        let request = try request(child, by: helper, created: now)
        for (name, grants, signatures) in [
            ("cold", false, false), ("capability remembered", true, false), ("header remembered too", true, true),
        ] {
            let verifier = CapabilityVerifier(
                mode: .compatible, remembersGrants: grants, remembersSignatures: signatures)
            try BatchTimer.measure("ZCAP: verify a request, \(name)", turns: 5, batches: 100) {
                _ = try verifier.verify(request, body: [], action: "sign", root: root, now: now)
            }
        }
        // More than are remembered, so that each is verified.
        let many = try (0..<Int64(5_000)).map { try Self.request(child, by: helper, created: now - $0) }
        let verifier = CapabilityVerifier(mode: .compatible)
        var turn = 0
        try BatchTimer.measure("ZCAP: verify a request, signer remembered", turns: 50, batches: 200) {
            turn = (turn + 1) % many.count
            _ = try verifier.verify(many[turn], body: [], action: "sign", root: root, now: now)
        }
    }

    private struct Party {
        let key: SigningKey
        let did: DIDKey

        init() throws {
            key = try SigningKey.generate(.ed25519)
            guard let did = DIDKey(publicKey: key.publicKey) else { throw BenchError("no did:key") }
            self.did = did
        }
    }

    private static func request(
        _ capability: Capability, by party: Party, created: Int64
    ) throws -> HTTPSignature.Request {
        let invocation = try Invocation(capability: capability, action: "sign").header()
        let parameters = "keyId=\"\(party.did)\",algorithm=\"\(HTTPSignature.algorithm)\",created=\(created)"
        let signature = try party.key.sign(Array("(created): \(created)".utf8), encoding: .p1363)
        return HTTPSignature.Request(
            method: "POST", uri: "/v1/keystores/c0ekinlioud42c84qs9g/keys/k/sign",
            headers: [
                "capability-invocation": [invocation],
                "signature": [parameters + ",signature=\"\(Data(signature).base64EncodedString())\""],
            ])
    }
}

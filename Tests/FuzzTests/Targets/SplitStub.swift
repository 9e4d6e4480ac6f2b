import Anchors
import Audit
import BearerTokens
import Encodings
import Foundation
import SecretMemory
import SplitKeys
import Token

/// A co-signing role whose token is away: requests are read to their end, and nothing is ever stored.
struct SplitStub: Sealing, AuditRecording, RevocationKeeping, BearerTokenVerifying {
    static let authority: AuthorityService? = {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kmsd-fuzz-\(UUID().uuidString)")
        try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        // The open file stays readable; nothing is left behind.
        defer { try? FileManager.default.removeItem(at: folder) }
        var configuration = SplitConfiguration()
        configuration.signaturesPerSecond = 0
        configuration.wrongHalvesPerSecond = 0
        return try? AuthorityService(
            path: folder.appendingPathComponent("shares.sqlite").path, sealing: SplitStub(),
            anchors: SealedAnchorKeeper(token: SplitStub()), audit: SplitStub(), revocations: SplitStub(),
            configuration: configuration)
    }()

    let sealingIdentity = "none"

    func seal(_ plaintext: SharedSecret, under role: KeyRole, context: [UInt8]) async throws(HSMError) -> [UInt8] {
        throw HSMError(.tokenUnavailable, "There is no token.")
    }

    func open(_ sealed: [UInt8], under role: KeyRole, context: [UInt8]) async throws(HSMError) -> SharedSecret {
        throw HSMError(.tokenUnavailable, "There is no token.")
    }

    func record(_ event: AuditEvent) async throws(AuditError) -> AuditPosition { AuditPosition(index: 1, hash: []) }

    func revoke(_ subject: String, _ event: AuditEvent) async throws(AuditError) -> AuditPosition {
        AuditPosition(index: 1, hash: [])
    }

    func isRevoked(_ subject: String) -> Bool { false }
    var refusal: String? { nil }
    func verify(_ token: String) async throws(BearerTokenError) -> BearerIdentity { BearerIdentity(user: "alice") }
}

import ArgumentParser
import HSMBridge
import LibCrypto
import SecretMemory
import TPMBridge
import Token

/// What one turn of the loop through the bridge does.
enum BridgeOperation: String, CaseIterable, ExpressibleByArgument, Sendable {
    /// Sealing 32 bytes under the root lock key.
    case seal
    /// Opening them.
    case open
    /// A signature with the audit key, which is at a persistent handle.
    case auditSign = "audit-sign"
    /// A signature with a resident P-256 key, loaded.
    case residentSign = "resident-sign"
    /// A MAC with a resident key, loaded.
    case residentMAC = "resident-mac"
    /// ECDH with a resident P-256 key, loaded.
    case residentAgreement = "resident-agree"

    /// One turn, with everything made that it needs.
    func turn(on token: TPMToken) async throws -> @Sendable () async throws -> Void {
        let message = [UInt8](repeating: 0x5a, count: 32)
        let context: [UInt8] = [1]
        switch self {
        case .seal:
            let secret = SharedSecret(try SecretBytes.random(count: 32))
            return { _ = try await token.seal(secret, under: .rootLock, context: context) }
        case .open:
            let secret = SharedSecret(try SecretBytes.random(count: 32))
            let sealed = try await token.seal(secret, under: .rootLock, context: context)
            return { _ = try await token.open(sealed, under: .rootLock, context: context) }
        case .auditSign:
            return { _ = try await token.sign(message, with: .audit) }
        case .residentSign:
            let key = try await token.generateResident(.p256)
            return { _ = try await token.sign(digest: message, with: key) }
        case .residentMAC:
            let key = try await token.generateResident(.hmacSHA256)
            return { _ = try await token.mac(message, with: key) }
        case .residentAgreement:
            let key = try await token.generateResident(.p256Agreement)
            let peer = try AgreementKey.generate(.p256).publicKey
            return { _ = try await token.agree(with: peer, key: key) }
        }
    }
}

import Decryption
import Foundation
import SwiftProtobuf

/// Reads a user's authorisation, whose shape was checked.
enum Authorizations {
    static func read(_ encoded: Data) throws(DecryptionError) -> UserAuthorization? {
        guard !encoded.isEmpty else { return nil }
        let message: OwnUserAuth
        do { message = try OwnUserAuth(serializedBytes: encoded) } catch {
            throw DecryptionError(.invalid, "malformed-authorization", "the authorisation cannot be read")
        }
        return try read(message)
    }

    /// Reads a list of permissible decryptors, whose shape was checked.
    static func list(_ encoded: Data) throws(DecryptionError) -> PermissibleDecryptors? {
        guard !encoded.isEmpty else { return nil }
        do { return list(try OwnAcl(serializedBytes: encoded)) } catch {
            throw DecryptionError(.invalid, "malformed-acl", "the list of permissible decryptors cannot be read")
        }
    }

    static func list(_ message: OwnAcl) -> PermissibleDecryptors {
        PermissibleDecryptors(
            contract: [UInt8](message.contract), handle: [UInt8](message.handle),
            accounts: message.accounts.map { [UInt8]($0) },
            proofs: message.proofs.map {
                PermissibleDecryptors.Entry(account: [UInt8]($0.account), proof: [UInt8]($0.proofOps))
            })
    }

    static func read(_ message: OwnUserAuth) throws(DecryptionError) -> UserAuthorization {
        let scheme: UserAuthorization.Scheme
        switch message.scheme {
        case .legacyReencrypt: scheme = .legacyReencrypt
        case .userDecryptRequest: scheme = .userDecryptRequest
        case .delegatedUserDecryptRequest:
            throw DecryptionError(
                .unimplemented, "authorization-delegated",
                "DelegatedUserDecryptRequestVerification is not served: sign UserDecryptRequestVerification yourself")
        default:
            throw DecryptionError(
                .invalid, "malformed-authorization",
                "the authorisation's scheme is none that is known here; contracts' signatures (ERC-1271) are not served, "
                    + "because only the chain could check them")
        }
        var authorization = UserAuthorization(
            scheme: scheme, chainID: message.chainID, verifyingContract: [UInt8](message.verifyingContract),
            signature: [UInt8](message.signature))
        authorization.contractAddresses = message.contractAddresses.map { [UInt8]($0) }
        authorization.start = message.start
        authorization.durationDays = message.durationDays
        authorization.extraData = [UInt8](message.extraData)
        return authorization
    }
}

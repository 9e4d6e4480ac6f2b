import BearerTokens
import Capabilities
import Foundation
import GNAP
import HTTPAPI
import KMSConfiguration
import Keystores
import Logging
import OutboundHTTP
import SecretMemory

extension Application {
    /// Reads the secrets of bearer tokens; nil if no tokens are configured.
    static func makeBearer(
        _ settings: Configuration, _ outbound: any OutboundSending
    ) throws -> (any BearerTokenVerifying)? {
        let level = settings.logLevel
        return try settings.tokens.map { tokens in
            BearerTokenVerifier(try tokens.load(), outbound: outbound) { message in
                var logger = Logger(label: "kmsd")
                logger.logLevel = level
                logger.warning("\(message)")
            }
        }
    }

    /// Reads the key of calls to the authorization server; nil unless GNAP tokens guard the keystores.
    static func makeGNAP(
        _ settings: Configuration, _ outbound: any OutboundSending, _ used: UsedSignatures
    ) throws -> GNAPVerifier? {
        guard let gnap = settings.gnap else { return nil }
        let key: ResourceServerKey
        do {
            key = try ResourceServerKey(pem: try SecretFile.read(gnap.signingKey, lengths: 1...8192))
        } catch let error as SecretFileError {
            throw ConfigurationError("gnap-signing-key: \(error.message)", isAboutRights: error.isAboutRights)
        } catch let error as GNAPError {
            throw ConfigurationError("gnap-signing-key '\(gnap.signingKey)': \(error.message)")
        }
        return GNAPVerifier(
            server: gnap.server, key: key, outbound: outbound, checksSignatures: gnap.checksSignatures,
            cacheSeconds: gnap.cacheTTL.components.seconds, earlier: used.earlier)
    }

    /// Reads which signatures that are dated ahead were used before, where each counts once.
    static func makeUsedSignatures(
        _ settings: Configuration, _ store: SQLiteKeystoreStore
    ) throws -> UsedSignatures {
        guard settings.capabilities == .strict || settings.gnap?.checksSignatures == true else {
            return UsedSignatures()
        }
        // The daemon before this one may have served until a moment ago, within this very second.
        let next = Int64(Date().timeIntervalSince1970) + 1
        return UsedSignatures(ledger: store, earlier: try store.earlierSignatures(since: next))
    }

    /// Waits for the first second whose signatures are accepted, less than one where each counts once; so clients whose
    /// clock is right find no server that refuses them.
    package func waitForCountedSignatures() async throws {
        let now = Date().timeIntervalSince1970
        let wait = Double(max(used.earlier.since, Int64(now))) - now
        if wait > 0 { try await Task.sleep(for: .seconds(min(wait, 1))) }
    }

    /// What guards making keystores and own routes.
    var management: ManagementGuard? {
        switch settings.administration {
        case nil: nil
        case .certificates: .certificates
        case .tokens: bearer.map { .tokens($0) }
        }
    }
}

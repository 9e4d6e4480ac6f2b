import BearerTokens
import Foundation
import GNAP
import Outbound
import SecretMemory

extension Application {
    /// Reads the secrets of bearer tokens; nil if no tokens are configured.
    static func makeBearer(
        _ settings: Configuration, _ outbound: any OutboundSending
    ) throws -> (any BearerTokenVerifying)? {
        try settings.tokens.map { BearerTokenVerifier(try $0.load(), outbound: outbound) }
    }

    /// Reads the key of calls to the authorization server; nil unless GNAP tokens guard the keystores.
    static func makeGNAP(_ settings: Configuration, _ outbound: any OutboundSending) throws -> GNAPVerifier? {
        guard let gnap = settings.gnap else { return nil }
        let key: ResourceServerKey
        do {
            key = try ResourceServerKey(pem: try SecretFile.read(gnap.signingKey, lengths: 1...8192))
        } catch let error as SecretFileError {
            throw ConfigurationError("gnap-signing-key: \(error.message)")
        } catch let error as GNAPError {
            throw ConfigurationError("gnap-signing-key '\(gnap.signingKey)': \(error.message)")
        }
        return GNAPVerifier(
            server: gnap.server, key: key, outbound: outbound, checksSignatures: gnap.checksSignatures,
            cacheSeconds: gnap.cacheTTL.components.seconds, since: Int64(Date().timeIntervalSince1970))
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

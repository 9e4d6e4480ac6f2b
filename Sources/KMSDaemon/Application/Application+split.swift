import Anchors
import Audit
import BearerTokens
import HSMBridge
import HTTPAPI
import KMSConfiguration
import OutboundHTTP
import SplitKeys
import Token

extension Application {
    /// The store of the vault's role.
    static func vaultPath(home: String) -> String { home + "/vault.sqlite" }

    /// The store of the co-signing role.
    static func sharesPath(home: String) -> String { home + "/shares.sqlite" }

    /// The services of split keys; nil without bearer tokens to check or without a token to seal with.
    static func makeSplit(
        _ settings: Configuration, _ token: (any TokenBackend)?, _ audit: AuditParts?,
        _ bearer: (any BearerTokenVerifying)?,
        _ outbound: OutboundClient
    ) throws -> SplitServices? {
        guard let token, let audit, let bearer else { return nil }
        var authority: AuthorityService?
        let other: any SplitAuthority
        if case .vault(let url) = settings.split.role {
            other = RemoteAuthority(baseURL: url, client: outbound)
        } else {
            let service = try AuthorityService(
                path: sharesPath(home: settings.home), sealing: token,
                anchors: try anchors(settings, token),
                wholePoints: (token as? any ScalarMultiplication).map(TPMAnchorKeeper.init(token:)), audit: audit.chain,
                revocations: FailClosedRevocations(parts: audit), configuration: settings.split.service)
            audit.chain.watch(WatchedStore(service.seal))
            authority = service
            other = service
        }
        let vault =
            settings.split.role == .authority
            ? nil
            : try VaultService(
                path: vaultPath(home: settings.home), sealing: token, authority: other, audit: audit.chain,
                configuration: settings.split.service)
        if let vault { audit.chain.watch(WatchedStore(vault.seal)) }
        return SplitServices(
            vault: vault, authority: authority, tokens: bearer, receipts: ReceiptIssuer(token: token),
            returnsTransactions: settings.split.returnsTransactions)
    }

    /// Only a PKCS #11 token can hold a scalar of this curve; another one seals it, and the keys say so.
    private static func anchors(_ settings: Configuration, _ token: any TokenBackend) throws -> any AnchorKeeping {
        if let token = token as? PKCS11Token {
            return TokenAnchorKeeper(token: token, settings: settings.split.anchors)
        }
        guard settings.split.anchors.placement != .anchored else {
            throw ConfigurationError("'split-anchors: anchored' needs a PKCS #11 token: a TPM holds no such scalar")
        }
        return SealedAnchorKeeper(token: token)
    }
}

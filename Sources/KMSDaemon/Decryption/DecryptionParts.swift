import Attestation
import Audit
import ChainNodes
import Decryption
import DecryptionAPI
package import DecryptionStore
import EnclaveLock
import Encodings
import Foundation
import HTTPAPI
package import KMSConfiguration
import Keystores
import LightClient
import OutboundHTTP
import SecretMemory
import Storage
import Token

/// The parts of the decryption API that this process runs.
package struct DecryptionParts: Sendable {
    /// Who follows the chain.
    enum Following: Sendable {
        case embedded(ChainFollower)
        case proxied(ProxiedHeaders)

        var headers: any VerifiedHeaders {
            switch self {
            case .embedded(let follower): follower
            case .proxied(let headers): headers
            }
        }

        func run(
            told: @Sendable (LightClientError?) -> Void, stepped: @Sendable (LightClientError?) async -> Void
        ) async {
            switch self {
            case .embedded(let follower): await follower.run(told: told, stepped: stepped)
            case .proxied(let headers): await headers.run(told: told, stepped: stepped)
            }
        }

        /// For operators. A light proxy sees conflicts itself.
        var followed: FollowedChain {
            switch self {
            case .embedded(let follower):
                FollowedChain(chainID: follower.chainID) {
                    await follower.conflict
                } resolve: { hash throws(LightClientError) in
                    try await follower.resolve(keeping: hash)
                }
            case .proxied(let headers):
                FollowedChain(chainID: headers.chainID) {
                    nil
                } resolve: { _ throws(LightClientError) in
                    throw LightClientError(.settings, "the light proxy verifies the chain, and decides, too")
                }
            }
        }
    }

    package let store: DecryptionStore
    let following: Following
    let service: DecryptionService
    let server: DecryptionServer.Configuration
    /// Nil without a manifest.
    let attesting: (any KeyAttesting)?

    /// Proves that the store is the one that was written last.
    var seal: StateSeal { store.seal }
}

extension Application {
    /// The store of the decryption API.
    package static func decryptionPath(home: String) -> String { home + "/decryption.sqlite" }

    /// Opens the store, and has the audit chain watch it.
    package static func openDecryptionStore(_ settings: Configuration, _ audit: AuditParts) throws -> DecryptionStore {
        let chain = audit.chain
        let store = try DecryptionStore(path: decryptionPath(home: settings.home)) { try await chain.tellStates() }
        chain.watch(WatchedStore(store.seal))
        return store
    }

    /// Nil unless the front is on, and in verbs that only look.
    static func makeDecryption(
        _ settings: Configuration, _ token: (any TokenBackend)?, _ audit: AuditParts?, _ locks: [any SecretLock],
        _ outbound: OutboundClient
    ) throws -> DecryptionParts? {
        guard let decryption = settings.decryption, let audit else { return nil }
        guard let token else {
            throw ConfigurationError("'decryption-host' needs a token, whose key signs the results: give token-uri")
        }
        let store = try openDecryptionStore(settings, audit)
        let following = try follow(decryption, store, outbound, settings.outbound.policy)
        let service = DecryptionService(
            policy: decryption.policy,
            keys: DecryptionKeyVault(store: store, locks: locks, timeToLive: settings.keystores.lockKeyTTL),
            headers: following.headers, signer: ResultSigner(token: token), answers: store, audit: audit.chain,
            receipts: ReceiptIssuer(token: token))
        return DecryptionParts(
            store: store, following: following, service: service,
            server: DecryptionServer.Configuration(
                host: decryption.listen.host, port: decryption.listen.port, generation: decryption.generation,
                hasCompatibleStatuses: decryption.hasCompatibleStatuses,
                limits: limits(settings, decryption, DescriptorBudget(settings))),
            attesting: token.manifest.map { TFHEKeyAttester(issuer: AttestationIssuer(token: token, manifest: $0)) })
    }

    private static func limits(
        _ settings: Configuration, _ decryption: DecryptionSettings, _ budget: DescriptorBudget
    ) -> FrontLimits {
        var limits = FrontLimits(message: decryption.maximumMessage, patience: settings.requestTimeout)
        limits.connectionsPerCaller = max(1, budget.decryptionConnections / 2)
        return limits
    }

    private static func follow(
        _ settings: DecryptionSettings, _ store: DecryptionStore, _ outbound: OutboundClient, _ policy: OutboundPolicy
    ) throws -> DecryptionParts.Following {
        let now: @Sendable () -> ChainTime = {
            let time = Date().timeIntervalSince1970
            return ChainTime(seconds: Int64(time), nanoseconds: UInt32(max(0, (time - time.rounded(.down)) * 1e9)))
                ?? .last
        }
        func node(_ url: String, _ setting: String) throws(ConfigurationError) -> ChainNode {
            do throws(OutboundError) { try policy.check(url: url) } catch {
                throw ConfigurationError("\(setting): \(error.message)")
            }
            return ChainNode(url: url, sender: outbound)
        }
        switch settings.headers {
        case .proxy(let url):
            return .proxied(
                ProxiedHeaders(
                    proxy: try node(url, "decryption-rpc"), rules: try settings.rules(),
                    maximumAge: settings.policy.maximumAge, poll: settings.poll, now: now))
        case .embedded(let primary, let witnesses, let height, let hash):
            let chainID = settings.chainID
            return .embedded(
                ChainFollower(
                    try settings.clientSettings(), root: ChainFollower.Root(height: height, hash: hash),
                    primary: try node(primary, "decryption-rpc"),
                    witnesses: try witnesses.map { try node($0, "decryption-witnesses") },
                    keeping: ChainFollower.Keeping {
                        try await store.head(of: chainID)
                    } store: {
                        try await store.keepHead($0, of: chainID)
                    }, poll: settings.poll, now: now))
        }
    }
}

import Anchors
import Audit
import BearerTokens
import HSMBridge
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Keystores
import Logging
import SecretMemory
import SplitKeys
import Synchronization
import TestSupport
import Testing
import TextEncodings

@testable import KMSServer

/// Co-signing through the routes, with a real token behind.
@Suite struct SplitRouteTests {
    /// The key of 0Chain's own API tests.
    private enum Official {
        static let client = "03df8919e4d76f6ffa9e23c388576f0baa02360d6e903a84d69689e0b2b5a28c"
        static let clientKey =
            "ff132aaf4eeb517478c7bdd19ba887dbd909c4527b78ac989f723e5b5c349f03"
            + "dc5a737071040edd5ba7a593e12264d895ad9cace1a50321886653ca8c366e13"
        static let peerKey =
            "f06fe5513831714965ca33080052b3873bb2e785c5d2abd88a2f958e74872617"
            + "adf6e8c5fe5cb8ed0e0c218cde796707c0a9ef8f7e77756032eada0d5f3c9d00"
        static let share = "863f94d6deacc75c658db3e22d27c31944fc562aeef6e5b97a31d9e25294111a"
        static let hash = "7a8950d472c3a5a7cf0f27019c4507275d24e0bd3a97e1dedc7d77a132d9d6d3"
        static let half = "5d65c31f8bcf64c259c3e155b78bb4c7c5ea2dae1d0d6da1a8b735f2bda2db84"
        static let signature = "ce2bc5f96d058db808456f2bb325628b0ff66617f8e3df2ee1fc7ee945f06b03"
    }

    /// Counts the calls of a signature; checks of the token's health make others.
    private final class SigningCalls: CallObserver {
        let count = Atomic(0)

        func didCall(_ function: StaticString, returned value: ReturnValue, duration: Duration) {
            if ["C_DeriveKey", "C_UnwrapKey"].contains("\(function)") { count.add(1, ordering: .relaxed) }
        }
    }

    private struct NoTokens: BearerTokenVerifying {
        func verify(_ token: String) async throws(BearerTokenError) -> BearerIdentity {
            throw BearerTokenError(.malformed, "no token is right here")
        }
    }

    @Test func aWrongHalfNeverReachesTheToken() async throws {
        let calls = SigningCalls()
        let token = try await SoftHSMToken.make().provisioned(observer: calls)
        let folder = try TemporaryFolder()
        let audit = try AuditParts(home: folder.path, token: nil, manifest: nil)
        var configuration = SplitConfiguration()
        configuration.signaturesPerSecond = 1
        configuration.wrongHalvesPerSecond = 0
        let authority = try AuthorityService(
            path: folder.path + "/shares.sqlite", sealing: token, anchors: TokenAnchorKeeper(token: token),
            audit: audit.chain, revocations: LedgerRevocations(parts: audit), configuration: configuration)
        let caller = try SplitCaller(user: "alice", isService: false, token: "", requestID: "setup")
        let bytes = try #require(Hexadecimal.decode(Official.share))
        let clientKey = try #require(Hexadecimal.decode(Official.clientKey))
        try await authority.setUp(
            ShareSetup(
                userID: nil, clientID: Official.client, clientKey: clientKey, publicKey: clientKey,
                peerKey: try #require(Hexadecimal.decode(Official.peerKey)),
                secret: .share(SharedSecret(try SecretBytes.make(count: 32) { $0.copyBytes(from: bytes) })),
                policy: SplitPolicy(verifiesHash: false), isForeign: true),
            caller: caller)
        let before = calls.count.load(ordering: .relaxed)
        let record = audit.chain.head.position.index
        let fixture = try RESTFixture(
            split: SplitServices(vault: nil, authority: authority, tokens: NoTokens()))
        try await fixture.run { client in
            func sign(_ half: String) async throws -> RESTFixture.Reply {
                try await client.send(
                    .post, "/zauth/sign/msg",
                    "{\"hash\":\"\(Official.hash)\",\"signature\":\"\(half)\",\"client_id\":\"\(Official.client)\"}",
                    headers: [HTTPField.Name("X-Peer-Public-Key")!: Official.peerKey])
            }
            for _ in 0..<20 {
                let reply = try await sign(Official.signature)
                #expect(reply.status == 400 && reply.text.contains("does not verify"))
            }
            #expect(calls.count.load(ordering: .relaxed) == before)
            #expect(audit.chain.head.position.index == record)
            let reply = try await sign(Official.half)
            #expect(reply.text == "{\"sig\":\"\(Official.signature)\"}\n")
            #expect(calls.count.load(ordering: .relaxed) > before)
            #expect(audit.chain.head.position.index == record + 1)
        }
        try await authority.close()
        #expect(audit.chain.head.position.index == record + 2, "one record tells of the twenty")
        await audit.chain.close()
        await token.shutdown()
    }
}

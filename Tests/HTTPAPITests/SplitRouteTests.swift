import Anchors
import Audit
import BearerTokens
import Encodings
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
import TestTokens
import Testing
import Token

@testable import HTTPAPI
@testable import KMSDaemon

/// Co-signing through the routes, with a real token behind.
@Suite(.timeLimit(.minutes(10))) struct SplitRouteTests {
    /// Counts the calls of a signature. Checks of the token's health make others, and a token that was late for one is opened
    /// and proven anew, which makes these: it is checked once in an hour.
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
        let token = try await SoftHSMToken.make().provisioned(observer: calls, healthInterval: .seconds(3600))
        let folder = try TemporaryFolder()
        let audit = try AuditParts(home: folder.path, token: nil, manifest: nil)
        var configuration = SplitConfiguration()
        configuration.signaturesPerSecond = 1
        configuration.wrongHalvesPerSecond = 0
        let authority = try AuthorityService(
            path: folder.path + "/shares.sqlite", sealing: token, anchors: TokenAnchorKeeper(token: token),
            audit: audit.chain, revocations: FailClosedRevocations(parts: audit), configuration: configuration)
        let caller = try SplitCaller(user: "alice", isService: false, token: "", requestID: "setup")
        let bytes = try #require(Hexadecimal.decode(OfficialKey.share))
        let clientKey = try #require(Hexadecimal.decode(OfficialKey.clientKey))
        try await authority.setUp(
            ShareSetup(
                userID: nil, clientID: OfficialKey.clientID, clientKey: clientKey, publicKey: clientKey,
                peerKey: try #require(Hexadecimal.decode(OfficialKey.peerKey)),
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
                    "{\"hash\":\"\(OfficialKey.hash)\",\"signature\":\"\(half)\",\"client_id\":\"\(OfficialKey.clientID)\"}",
                    headers: [HTTPField.Name("X-Peer-Public-Key")!: OfficialKey.peerKey])
            }
            for _ in 0..<20 {
                let reply = try await sign(OfficialKey.signature)
                #expect(reply.status == 400 && reply.text.contains("does not verify"))
            }
            #expect(calls.count.load(ordering: .relaxed) == before)
            #expect(audit.chain.head.position.index == record)
            let reply = try await sign(OfficialKey.half)
            #expect(reply.text == "{\"sig\":\"\(OfficialKey.signature)\"}\n")
            #expect(calls.count.load(ordering: .relaxed) > before)
            #expect(audit.chain.head.position.index == record + 1)
        }
        try await authority.close()
        #expect(audit.chain.head.position.index == record + 2, "one record tells of the twenty")
        await audit.chain.close()
        await token.shutdown()
    }
}

import EnclaveLock
import Outbound
import SecretMemory
import TestSupport
import Testing

@testable import RemoteLocks

@Suite struct AuthServerTests {
    private static let share = "AXKr9tfd6kLsMDi4Wvio0pDG76KkIH53v5JxHo68o3MX"

    private func auth(_ server: ScriptedServer, timeToLive: Duration = .seconds(60)) throws -> AuthServer {
        AuthServer(
            url: "https://auth.example", token: try secret("token"), outbound: server, timeToLive: timeToLive)
    }

    @Test func theShareIsAskedForWithTheTokenAndTheUser() async throws {
        let server = ScriptedServer()
        server.answers(200, #"{"secret":"\#(Self.share)"}"#)
        let share = try await auth(server).share(of: "a b&c=ü")
        #expect(share.count == 33)
        let request = try #require(server.requests.first)
        #expect(request.method == "GET")
        #expect(request.url == "https://auth.example/secret?sub=a%20b%26c%3D%C3%BC")
        #expect(request.headers.contains { $0.name == "Authorization" && $0.value == "Bearer dG9rZW4=" })
    }

    @Test func aShareIsRememberedForItsUserAndItsTime() async throws {
        let server = ScriptedServer()
        server.answers(200, #"{"secret":"\#(Self.share)"}"#)
        let auth = try auth(server)
        _ = try await auth.share(of: "alice")
        _ = try await auth.share(of: "alice")
        #expect(server.requests.count == 1)
        _ = try await auth.share(of: "bob")
        #expect(server.requests.count == 2)
        let forgetful = try self.auth(server, timeToLive: .zero)
        _ = try await forgetful.share(of: "alice")
        _ = try await forgetful.share(of: "alice")
        #expect(server.requests.count == 4)
    }

    @Test func whatTheServerSaysIsToldAndNotRemembered() async throws {
        let server = ScriptedServer()
        let auth = try auth(server)
        for (status, body, text) in [
            (400, #"{"message":"unknown user"}"#, "unknown user"), (403, "forbidden\n", "answered 403: forbidden"),
            (500, "\u{1B}[31m", "answered 500: [31m"), (200, "{}", "no 'secret'"), (200, "<html>", "no 'secret'"),
            (200, #"{"secret":"not base64"}"#, "not base64"), (200, #"{"secret":""}"#, "not base64"),
            (302, "", "answered 302"),
        ] {
            server.answers(status, body)
            let error = await #expect(throws: EnclaveLockError.self) { try await auth.share(of: "alice") }
            #expect(error?.code == .remoteFailed)
            #expect(error?.message.hasPrefix("fetch secret share: ") == true)
            #expect(error?.message.contains(text) == true, "\(error?.message ?? "")")
        }
        server.isDown()
        await #expect(throws: EnclaveLockError.self) { try await auth.share(of: "alice") }
        server.answers(200, #"{"secret":"\#(Self.share)"}"#)
        #expect(try await auth.share(of: "alice").count == 33)
    }
}

import EnclaveLock
import OutboundHTTP
import SecretMemory
import Synchronization
import TestSupport
import Testing

@testable import RemoteLocks

@Suite(.timeLimit(.minutes(10))) struct AuthServerTests {
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

    /// The name `Zoë` in two spellings is two users: neither gets the other's share from memory.
    @Test func usersOfEquivalentNamesHaveSharesOfTheirOwn() async throws {
        let server = ScriptedServer()
        server.answers(200, #"{"secret":"\#(Self.share)"}"#)
        let auth = try auth(server)
        _ = try await auth.share(of: "Zo\u{eb}")
        _ = try await auth.share(of: "Zoe\u{308}")
        #expect(server.requests.map { String($0.url.drop { $0 != "=" }) } == ["=Zo%C3%AB", "=Zoe%CC%88"])
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

    private static let other = "AnKr9tfd6kLsMDi4Wvio0pDG76KkIH53v5JxHo68o3MX"

    @Test func aShareThatDidNotFitIsAskedForAgainAFewTimes() async throws {
        let server = ScriptedServer()
        server.answers(200, #"{"secret":"\#(Self.share)"}"#)
        let auth = try auth(server)
        let told = Mutex<[String]>([])
        auth.changes?.observe { user in told.withLock { $0.append(user) } }
        let start = ContinuousClock.now
        let first = try await auth.share(of: "alice")
        // What was fetched for this very caller is not asked for twice.
        #expect(bytes(try await auth.freshShare(of: "alice", since: start)) == bytes(first))
        #expect(server.requests.count == 1)
        server.answers(200, #"{"secret":"\#(Self.other)"}"#)
        let fresh = try #require(try await auth.freshShare(of: "alice", since: .now))
        #expect(bytes(fresh) != bytes(first))
        #expect(told.withLock { $0 } == ["alice"])
        #expect(bytes(try await auth.share(of: "alice")) == bytes(fresh))
        for _ in 0..<20 { _ = try await auth.freshShare(of: "alice", since: .now) }
        let refused = try await auth.freshShare(of: "alice", since: .now)
        let asked = server.requests.count
        // One more comes back in five seconds, which a busy machine may take.
        let isLate = ContinuousClock.now - start >= .seconds(5)
        #expect(isLate || asked == 5 && refused == nil)
        #expect((5...22).contains(asked))
        auth.forget("alice")
        _ = try await auth.share(of: "alice")
        #expect(server.requests.count == asked + 1)
    }

    /// Neither a failure, nor the end of a share's time, nor its being forgotten may hide that it is another one.
    @Test(arguments: ["failure", "silence", "time", "forgotten"])
    func aChangeIsToldWhateverHappenedInBetween(_ between: String) async throws {
        let server = ScriptedServer()
        server.answers(200, #"{"secret":"\#(Self.share)"}"#)
        let auth = try auth(server, timeToLive: between == "time" ? .milliseconds(1) : .seconds(60))
        let told = Mutex<[String]>([])
        auth.changes?.observe { user in told.withLock { $0.append(user) } }
        _ = try await auth.share(of: "alice")
        switch between {
        case "failure":
            server.answers(302, "")
            await #expect(throws: EnclaveLockError.self) { try await auth.freshShare(of: "alice", since: .now) }
        case "silence":
            server.isDown()
            await #expect(throws: EnclaveLockError.self) { try await auth.currentShare(of: "alice") }
        case "time": try await Task.sleep(for: .milliseconds(2))
        default: auth.forget("alice")
        }
        server.answers(200, #"{"secret":"\#(Self.other)"}"#)
        _ = try await auth.share(of: "bob")
        #expect(told.withLock { $0 } == [])
        #expect(try await bytes(auth.share(of: "alice"))?.first == 2)
        #expect(told.withLock { $0 } == ["alice"])
        _ = try await auth.currentShare(of: "alice")
        #expect(told.withLock { $0 } == ["alice"])
    }

    @Test func sharesOfManyUsersAreKnownAndTheOldestMakesRoom() throws {
        let (seen, start) = (SeenShares(capacity: 3), ContinuousClock.now)
        let (one, two) = (try secret("one"), try secret("two"))
        for (number, user) in ["a", "b", "Zo\u{eb}", "Zoe\u{308}"].enumerated() {
            #expect(try !seen.isChanged(one, of: user, now: start + .seconds(number)))
        }
        #expect(try !seen.isChanged(two, of: "a", now: start + .seconds(9)))
        #expect(try seen.isChanged(two, of: "Zo\u{eb}", now: start + .seconds(9)))
        #expect(try !seen.isChanged(one, of: "Zoe\u{308}", now: start + .seconds(9)))
    }

    @Test func aFailureThatPassesIsToldApart() async throws {
        let server = ScriptedServer()
        let auth = try auth(server)
        for (status, isPassing) in [(429, true), (500, true), (400, false), (403, false)] {
            server.answers(status, "{}")
            let error = await #expect(throws: EnclaveLockError.self) { try await auth.share(of: "alice") }
            #expect(error?.isPassing == isPassing)
        }
    }

    @Test func questionsOutOfTurnAreFewForEachAndComeBackWithTime() {
        let budget = QuestionBudget(capacity: 2)
        let start = ContinuousClock.now
        #expect((0..<6).map { _ in budget.take("a", now: start) } == [true, true, true, true, false, false])
        #expect(budget.take("b", now: start))
        #expect(!budget.take("c", now: start))
        let spellings = QuestionBudget(capacity: 2)
        for _ in 0..<4 { #expect(spellings.take("Zo\u{eb}", now: start) && spellings.take("Zoe\u{308}", now: start)) }
        #expect(budget.take("a", now: start + .seconds(5)))
        #expect(!budget.take("a", now: start + .seconds(5)))
        #expect(budget.take("c", now: start + .seconds(60)))
    }
}

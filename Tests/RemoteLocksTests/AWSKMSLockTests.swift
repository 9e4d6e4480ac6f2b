import EnclaveLock
import Encodings
import OutboundHTTP
import SecretMemory
import TestSupport
import Testing

@testable import RemoteLocks

/// The dialogue; the service itself takes part in the acceptance tests.
@Suite(.timeLimit(.minutes(10))) struct AWSKMSLockTests {
    private static let uri = "aws-kms://arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    private static let identity = RecordIdentity(tenant: "t", keystore: "k", key: "", type: "x", version: 1)

    private func lock(_ server: ScriptedServer) throws -> AWSKMSLock {
        AWSKMSLock(
            key: try AWSKeyURI(parsing: Self.uri), endpoint: nil,
            credentials: AWSCredentials(accessKey: "AKID", secretKey: try secret("hidden"), sessionToken: "session"),
            outbound: server, now: { 1_440_938_160 })
    }

    @Test func sealingAsksForEncryption() async throws {
        let server = ScriptedServer()
        server.answers(200, #"{"CiphertextBlob":"AQID","KeyId":"x"}"#)
        let sealed = try await lock(server).seal(try secret("abc"), identity: Self.identity)
        #expect(sealed == [1, 2, 3])
        let request = try #require(server.requests.first)
        #expect(request.url == "https://kms.eu-central-1.amazonaws.com/")
        let body = String(decoding: request.body, as: UTF8.self)
        #expect(body.contains(#""Plaintext":"YWJj""#))
        #expect(body.contains(#""KeyId":"arn:aws:kms:eu-central-1:123456789012:key/1234"#))
        #expect(body.contains(#""EncryptionContext":{"kmsd-record":""#))
        #expect(request.headers.contains { $0.name == "X-Amz-Target" && $0.value == "TrentService.Encrypt" })
        #expect(request.headers.contains { $0.name == "X-Amz-Security-Token" && $0.value == "session" })
        #expect(!request.headers.contains { $0.value.contains("hidden") })
    }

    @Test func anotherRecordHasAnotherContext() async throws {
        let server = ScriptedServer()
        server.answers(200, #"{"Plaintext":"YWJj"}"#)
        #expect(bytes(try await lock(server).open([1], identity: Self.identity)) == Array("abc".utf8))
        var other = Self.identity
        other.keystore = "l"
        _ = try await lock(server).open([1], identity: other)
        #expect(server.requests[0].body != server.requests[1].body)
    }

    @Test func whatAnotherProgramSealedIsOpenedWithoutContext() async throws {
        let server = ScriptedServer()
        server.answers(200, #"{"Plaintext":"YWJj"}"#)
        #expect(bytes(try await lock(server).openForeign([1])) == Array("abc".utf8))
        let body = String(decoding: try #require(server.requests.first).body, as: UTF8.self)
        #expect(body.contains(#""CiphertextBlob":"AQ==""#) && !body.contains("EncryptionContext"))
    }

    @Test func mutatedAnswersAreReadOrTold() async throws {
        let server = ScriptedServer()
        let lock = try lock(server)
        var mutator = Mutator(seed: 88)
        let sealed = Array(#"{"CiphertextBlob":"AQIDBAUGBwg=","KeyId":"x","EncryptionAlgorithm":"S"}"#.utf8)
        let opened = Array(#"{"KeyId":"arn:aws:kms:a:b:key/c","Plaintext":"YWJjZGVm","__type":"x#y"}"#.utf8)
        let refused = Array(#"{"__type":"com.amazonaws.kms#InvalidCiphertextException","message":"no"}"#.utf8)
        for round in 0..<6_000 {
            let body = mutator.mutate([sealed, opened, refused][round % 3])
            server.answers(round % 3 == 2 ? 400 : 200, String(decoding: body, as: UTF8.self))
            do {
                if round % 3 == 0 {
                    _ = try await lock.seal(try secret("abc"), identity: Self.identity)
                } else {
                    #expect(try await lock.open([1], identity: Self.identity).count <= 3 * 4096)
                }
            } catch let error as EnclaveLockError {
                #expect(error.code == .remoteFailed || error.code == .openingFailed)
            }
        }
    }

    @Test func refusalsAndBrokenAnswersAreTold() async throws {
        let server = ScriptedServer()
        let cases: [(Int, String, EnclaveLockError.Code)] = [
            (400, #"{"__type":"InvalidCiphertextException"}"#, .openingFailed),
            (400, #"{"__type":"com.amazonaws.kms#IncorrectKeyException"}"#, .openingFailed),
            (400, #"{"__type":"AccessDeniedException","message":"no"}"#, .remoteFailed), (500, "", .remoteFailed),
            (200, "", .remoteFailed), (200, "{}", .remoteFailed), (200, #"{"Plaintext":5}"#, .remoteFailed),
            (200, #"{"Plaintext":"***"}"#, .remoteFailed), (302, "", .remoteFailed),
        ]
        for (status, body, code) in cases {
            server.answers(status, body)
            let error = await #expect(throws: EnclaveLockError.self) {
                try await lock(server).open([1], identity: Self.identity)
            }
            #expect(error?.code == code, "\(status) \(body)")
        }
        server.isDown()
        let error = await #expect(throws: EnclaveLockError.self) {
            try await lock(server).seal(try secret("abc"), identity: Self.identity)
        }
        #expect(error?.code == .remoteFailed)
    }

    @Test func throttlingPassesAndARefusalStandsUntilACallSucceeds() async throws {
        let server = ScriptedServer()
        let lock = try lock(server)
        func fails() async -> EnclaveLockError? {
            await #expect(throws: EnclaveLockError.self) {
                try await lock.seal(try secret("abc"), identity: Self.identity)
            }
        }
        server.answers(400, #"{"__type":"ThrottlingException"}"#)
        #expect(await fails()?.isPassing == true)
        #expect(server.requests.count == 3)
        #expect(lock.refusal == nil)
        server.answers(400, #"{"__type":"DisabledException"}"#)
        #expect(await fails()?.isPassing == false)
        #expect(server.requests.count == 4)
        #expect(lock.refusal?.message.contains("DisabledException") == true)
        // Readiness answers from what is known.
        for _ in 0..<10 { await #expect(throws: EnclaveLockError.self) { try await lock.probe() } }
        #expect(server.requests.count == 4)
        server.answers(200, #"{"CiphertextBlob":"AQID"}"#)
        _ = try await lock.seal(try secret("abc"), identity: Self.identity)
        #expect(lock.refusal == nil)
        try await lock.probe()
        #expect(server.requests.count == 5)
    }

    @Test func thoseWhoAskForReadinessAtOnceShareOneCall() async throws {
        let server = ScriptedServer()
        let lock = try lock(server)
        server.answers(200, #"{"CiphertextBlob":"AQID"}"#)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<50 { group.addTask { try await lock.probe() } }
            try await group.waitForAll()
        }
        #expect(server.requests.count == 1)
    }

    @Test(arguments: [
        "", "arn:aws:kms:eu:123456789012:key/1", "aws-kms://arn:aws:s3:eu:123456789012:key/1",
        "aws-kms://arn:aws:kms::123456789012:key/1", "aws-kms://arn:aws:kms:eu:12345:key/1",
        "aws-kms://arn:aws:kms:eu:123456789012:alias/a", "aws-kms://arn:aws:kms:eu:123456789012:key/",
        "aws-kms://arn:evil:kms:eu:123456789012:key/1", "aws-kms://arn:aws:kms:eu.evil.test/:123456789012:key/1",
        #"aws-kms://arn:aws:kms:eu:123456789012:key/1""#, "aws-kms://arn:aws:kms:eu:123456789012:key/1:2",
    ])
    func otherNamesOfKeysAreRefused(_ text: String) {
        let error = #expect(throws: EnclaveLockError.self) { try AWSKeyURI(parsing: text) }
        #expect(error?.code == .configurationRefused)
    }

    @Test func credentialsAreReadFromTheDefaultProfile() throws {
        let text = """
            # comment
            [other]
            aws_access_key_id = WRONG
            [default]
            aws_access_key_id = AKID
            aws_secret_access_key= a/b+c
            region = eu

            """
        func read(_ bytes: [UInt8]) throws -> AWSCredentials? {
            try secret(bytes).withSecret { try AWSCredentials(reading: $0) }
        }
        let found = try read(Array(text.utf8))
        #expect(found?.accessKey == "AKID")
        #expect(bytes(found?.secretKey) == Array("a/b+c".utf8))
        #expect(found?.sessionToken == nil)
        var mutator = Mutator(seed: 9)
        for _ in 0..<5000 {
            guard let found = try read(mutator.mutate(Array(text.utf8))) else { continue }
            #expect(!found.accessKey.isEmpty)
            #expect(found.secretKey.count > 0)
        }
        for bad in ["", "[default]\n", "aws_access_key_id=a\naws_secret_access_key=b", "[default]\nno equals\n"] {
            #expect(try read(Array(bad.utf8)) == nil)
        }
    }
}

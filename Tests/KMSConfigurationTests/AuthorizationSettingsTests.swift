import BearerTokens
import Foundation
import SecretMemory
import TestSupport
import Testing

@testable import KMSConfiguration

@Suite("Settings of who may do what", .timeLimit(.minutes(10)))
struct AuthorizationSettingsTests {
    private func read(_ file: String, environment: [String: String] = [:]) throws -> Configuration {
        let entries = (name: "kmsd.yaml", entries: try ConfigurationFile.parse(file, name: "kmsd.yaml"))
        return try Configuration(
            values: ConfigurationValues(flags: [:], environment: environment, file: entries), home: "/h", file: nil)
    }

    private func refusal(_ file: String, environment: [String: String] = [:]) -> String? {
        do {
            _ = try read(file, environment: environment)
            return nil
        } catch { return "\(error)" }
    }

    private static let secret = "jwt-secret-file: /etc/kmsd/jwt.secret\n"
    private static let tls = "tls-serve-cert: /c\ntls-serve-key: /k\n"
    private static let zcap = "auth-type: ZCAP\nbase-url: https://kms.example\n"

    @Test func tokensAreAcceptedOnlyAsConfigured() throws {
        #expect(try read("log-level: info\n").tokens == nil)
        let settings = try read(Self.secret + "jwt-issuer: a\njwt-audience: b\n").tokens
        #expect(settings?.issuer == "a")
        #expect(settings?.audience == "b")
        #expect(settings?.algorithms == nil)
        let keys = try read(
            "jwt-jwks-url: https://id.example/keys\njwt-jwks-refresh: 1m\njwt-algorithms: 'ES256, EdDSA'\n")
        #expect(keys.tokens?.keySet?.refresh == .seconds(60))
        #expect(keys.tokens?.keySet?.staleLimit == .seconds(3600))
        #expect(keys.tokens?.algorithms == [.es256, .edDSA])
    }

    @Test(
        "What cannot be meant is refused",
        arguments: [
            ("jwt-issuer: a\n", "jwt-secret-file"), ("jwt-algorithms: HS256\n", "jwt-secret-file"),
            (secret + "jwt-algorithms: RS256\n", "jwt-jwks-url"), (secret + "jwt-algorithms: none\n", "HS256"),
            (secret + "jwt-algorithms: hs256\n", "HS256"), (secret + "jwt-algorithms: 'HS256,'\n", "HS256"),
            ("jwt-jwks-url: ftp://id.example\n", "https"), ("jwt-jwks-url: https://a\njwt-jwks-refresh: 0s\n", "1s"),
            ("jwt-jwks-url: https://a\njwt-algorithms: HS256\n", "jwt-secret-file"),
            ("jwt-jwks-url: https://a\njwt-jwks-refresh: 2h\njwt-jwks-stale: 1h\n", "shorter"),
            ("admin-guard: jwt\n", "jwt-secret-file"), ("admin-guard: mtls\n", "tls-client-cacerts"),
            (tls + "admin-guard: mtls\n", "tls-client-cacerts"),
            ("admin-guard: mtls\ntls-client-cacerts: /ca\n", "tls-serve-cert"),
            (tls + "tls-client-cacerts: /ca\n", "admin-guard"), ("admin-guard: both\n", "jwt, mtls"),
            (tls + "admin-guard: mtls\ntls-client-cacerts: ca.pem\n", "absolute"), ("jwt-secret: x\n", "--jwt-secret"),
        ])
    func whatCannotBeMeantIsRefused(_ file: String, _ hint: String) {
        #expect(refusal(file)?.contains(hint) == true, "\(refusal(file) ?? "accepted")")
    }

    @Test func aSecretInAVariableIsForTryingOutOnlyAndNeverRepeated() throws {
        let environment = ["KMS_JWT_SECRET": "hunter2hunter2hunter2"]
        let said = try #require(refusal("log-level: info\n", environment: environment))
        #expect(said.contains("KMS_JWT_SECRET") && said.contains("dev") && !said.contains("hunter2"))
        let settings = try read("dev: true\n", environment: environment)
        let loaded = try settings.tokens?.load()
        #expect(loaded?.algorithms == [.hs256])
        #expect(refusal("dev: true\n" + Self.secret, environment: environment)?.contains("both") == true)
    }

    @Test func aSecretFileMustBeClosedAndLongEnough() throws {
        let folder = try TemporaryFolder()
        for (content, mode, isAccepted) in [
            ("0123456789abcdef", 0o600, true), ("0123456789abcdef\n", 0o400, true), ("0123456789abcde\n", 0o600, false),
            ("0123456789abcdef", 0o644, false), ("", 0o600, false),
        ] {
            let path = folder.path + "/\(UUID().uuidString)"
            try Data(content.utf8).write(to: URL(fileURLWithPath: path))
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
            let settings = try read("jwt-secret-file: \(path)\n").tokens
            if isAccepted {
                let loaded = try settings?.load()
                #expect(loaded?.secret?.count == 16)
            } else {
                let error = #expect(throws: ConfigurationError.self) { try settings?.load() }
                #expect(error?.message.contains(path) == true)
            }
        }
    }

    @Test func beyondLoopbackEveryGuardIsNeededAndEachMissingOneIsNamed() throws {
        let guardian = "admin-guard: jwt\n" + Self.secret
        let parts = [(Self.tls, "HTTPS"), (Self.zcap, "auth-type"), (guardian, "admin-guard")]
        for host in ["0.0.0.0:1", "'[::]:1'", "192.0.2.1:1", "kms.example:1", "128.0.0.1:1"] {
            let all = "host: \(host)\n" + parts.map(\.0).joined()
            #expect(try read(all).listen.isLoopback == false)
            for (index, part) in parts.enumerated() {
                let others = parts.enumerated().filter { $0.offset != index }.map(\.element)
                let said = try #require(refusal("host: \(host)\n" + others.map(\.0).joined()))
                let missing = said.split(separator: "Missing:").last ?? ""
                #expect(missing.contains(part.1) && said.contains("127.0.0.1"))
                for other in others { #expect(!missing.contains(other.1), "\(said)") }
            }
        }
        for host in ["127.0.0.1:1", "127.8.9.10:1", "localhost:1", "'[::1]:1'"] {
            #expect(try read("host: \(host)\n").listen.isLoopback)
        }
    }
}

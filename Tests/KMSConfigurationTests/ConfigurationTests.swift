import Foundation
import Keystores
import Logging
import TestSupport
import Testing
import Token

@testable import KMSConfiguration

@Suite("Configuration", .timeLimit(.minutes(10)))
struct ConfigurationTests {
    @Test func aFlagBeatsTheEnvironmentTheEnvironmentBeatsTheFileTheFileBeatsTheDefault() throws {
        let file = "lock-ttl: 1m\nhost: 127.0.0.1:1\n"
        #expect(try read(file: file).keystores.lockKeyTTL == .seconds(60))
        #expect(try read(environment: ["KMS_LOCK_TTL": "2m"], file: file).keystores.lockKeyTTL == .seconds(120))
        let all = try read(flags: ["lock-ttl": "3m"], environment: ["KMS_LOCK_TTL": "2m"], file: file)
        #expect(all.keystores.lockKeyTTL == .seconds(180))
        #expect(all.listen.port == 1)
        #expect(try read().keystores.lockKeyTTL == .seconds(600))
        #expect("\(try read().listen)" == "127.0.0.1:8074")
    }

    @Test(
        "An unknown key is refused with the nearest name and its line",
        arguments: [
            ("hots", "host"), ("token-url", "token-uri"), ("lock-tll", "lock-ttl"), ("max-bodi", "max-body"),
            ("Host", "host"), ("secret_lock_type", "secret-lock-type"), ("tls-server-cert", "tls-serve-cert"),
        ])
    func anUnknownKeyIsRefusedWithTheNearestNameAndItsLine(_ wrong: String, _ near: String) throws {
        let error = try #require(throws: ConfigurationError.self) { try read(file: "log-level: info\n\(wrong): x\n") }
        #expect(error.message.contains("kmsd.yaml:2: unknown key '\(wrong)'; did you mean '\(near)'?"))
    }

    @Test func aNameLikeNoOtherIsRefusedWithoutAGuess() throws {
        let error = try #require(throws: ConfigurationError.self) { try read(file: "zzzzzzzzzzzz: x\n") }
        #expect(error.message.hasSuffix("unknown key 'zzzzzzzzzzzz'"))
    }

    @Test(
        "A file that is not one flat mapping of values is refused",
        arguments: [
            "host: [1, 2]\n", "host: {a: b}\n", "- host\n", "{", "host: 127.0.0.1:1\nhost: 127.0.0.1:2\n", "host:\n",
            "host: ~\n",
            "host: null\n", "just text\n", "? [a]\n: b\n", "home: /x\n", "config: /x\n", "host: \"unclosed\n",
        ])
    func aFileThatIsNotOneFlatMappingOfValuesIsRefused(_ text: String) {
        let error = #expect(throws: ConfigurationError.self) { try read(file: text) }
        #expect(error?.message.contains("kmsd.yaml") == true)
    }

    @Test(
        "A value of the wrong type is refused, naming where it stands",
        arguments: [
            ("lock-ttl", "soon"), ("lock-ttl", "-5s"), ("max-body", "big"), ("max-body", "1"), ("token-sessions", "0"),
            ("token-sessions", "many"), ("token-sessions", "2.5"), ("destroy-grace", "9000h"), ("log-level", "loud"),
            ("enable-cache", "yes"), ("database-type", "mongodb"), ("database-type", "mem"),
            ("secret-lock-type", "aws"),
            ("secret-lock-type", "noop"), ("auth-type", "OAUTH"), ("enable-zcap", "2"), ("enable-zcap", "tRUE"),
            ("enable-cors", "true"), ("metrics-host", "9090"), ("cors-origins", "*"),
            ("cors-origins", "https://a/b"), ("cors-origins", "a.example"), ("upstream-status-codes", "500"),
            ("outbound-allow", "10.0.0.1/8"), ("tls-cacerts", "ca.pem"), ("auth-server-token", "hunter2"),
            ("database-url", "relative.sqlite"), ("base-url", "kms.example"), ("host", "8074"), ("host", ":8074"),
            ("host", "0.0.0.0:8074"), ("host", "192.168.0.1:8074"), ("host", "[::]:8074"), ("host", "kms.example:8074"),
            ("host", "127.0.0.1:99999"), ("host", "127.1:80"), ("token-uri", "pkcs11:slot-id=0"),
        ])
    func aValueOfTheWrongTypeIsRefusedNamingWhereItStands(_ name: String, _ value: String) throws {
        let key = try #require(ConfigurationKey.byName[name])
        for (origin, read) in [
            ("--\(name)", { try self.read(flags: [name: value]) }),
            (key.environment, { try self.read(environment: [key.environment: value]) }),
            ("kmsd.yaml:1", { try self.read(file: "\(name): '\(value)'\n") }),
        ] {
            let error = try #require(throws: ConfigurationError.self) { try read() }
            #expect(error.message.contains(origin), "\(error.message)")
            #expect(!error.message.contains("hunter2"))
        }
    }

    @Test(
        "Truth values have every spelling TrustBloc's server takes, levels any case",
        arguments: [("1", true), ("t", true), ("T", true), ("TRUE", true), ("True", true), ("true", true)]
            + [("0", false), ("f", false), ("F", false), ("FALSE", false), ("False", false), ("", false)])
    func truthValuesHaveEverySpellingTrustBlocsServerTakesLevelsAnyCase(_ text: String, _ value: Bool) throws {
        #expect(try read(environment: ["KMS_TLS_SYSTEMCERTPOOL": text]).outbound.trustsSystem == value)
        #expect(try read(flags: ["upstream-status-codes": text]).hasUpstreamStatuses == value)
        #expect(
            try read(environment: ["KMS_LOG_LEVEL": value ? "DEBUG" : "Error"]).logLevel == (value ? .debug : .error))
    }

    @Test(arguments: ConfigurationKey.catalogue.map(\.name))
    func anEmptyVariableCountsAsNotGivenForEverySetting(_ name: String) throws {
        let key = try #require(ConfigurationKey.byName[name])
        let plain = try read()
        #expect("\(try read(environment: [key.environment: ""]))" == "\(plain)")
        #expect(try read(environment: [key.environment: ""]).notices.isEmpty)
        // The layer below shows through.
        let file = "base-url: https://kms.example\nlog-level: debug\nlock-ttl: 1m\nmetrics-host: 127.0.0.1:1\n"
        #expect("\(try read(environment: [key.environment: ""], file: file))" == "\(try read(file: file))")
    }

    @Test func allVariablesMayBeEmptyAtOnceUnknownOnesToo() throws {
        var environment = ["KMS_OF_AN_OLDER_TEMPLATE": ""]
        for key in ConfigurationKey.catalogue { environment[key.environment] = "" }
        #expect("\(try read(environment: environment))" == "\(try read())")
        let error = #expect(throws: ConfigurationError.self) { try read(environment: ["KMS_LOCK_TLL": " "]) }
        #expect(error?.message.contains("KMS_LOCK_TLL") == true)
    }

    @Test func whereAFileIsNamedACredentialMayBeNonsenseMayNot() throws {
        for name in ["tls-serve-cert", "tls-serve-key", "secret-lock-key-path"] {
            let key = try #require(ConfigurationKey.byName[name])
            for good in ["/etc/kmsd/x.pem", "file:/etc/kmsd/x.pem", "credential:x.pem"] {
                #expect(key.normalized(good) == good)
            }
            for bad in ["x.pem", "credential:", "credential:..", "credential:a/b", "file:x", "http://x"] {
                #expect(key.normalized(bad) == nil)
            }
        }
    }

    @Test func anEnvironmentVariableNobodyKnowsIsRefusedWithTheNearestName() throws {
        let error = try #require(throws: ConfigurationError.self) { try read(environment: ["KMS_LOCK_TLL": "1m"]) }
        #expect(error.message.contains("KMS_LOCK_TTL"))
        #expect(throws: Never.self) { try read(environment: ["KMS_CLI_URL": "http://x", "KMS_KEY_TYPE": "ED25519"]) }
    }

    @Test func trustBlocsCacheSettingsBoundTheTimeKeysStayOpen() throws {
        #expect(try read(file: "enable-cache: false\n").keystores.lockKeyTTL == .zero)
        #expect(try read(file: "kms-cache-ttl: 5m\nkey-store-cache-ttl: 7m\n").keystores.lockKeyTTL == .seconds(300))
        #expect(try read(file: "kms-cache-ttl: 1h\n").keystores.lockKeyTTL == .seconds(600))
        #expect(try read(file: "kms-cache-ttl: 5m\nlock-ttl: 30s\n").keystores.lockKeyTTL == .seconds(30))
        // The switch of TrustBloc's server is for every cache, that of shares too.
        let shares = "auth-server-url: https://auth.example\nauth-server-token-file: /x\n"
        #expect(try read(file: shares).keystores.shareTTL == .seconds(600))
        let off = try read(file: shares + "enable-cache: false\nshamir-secret-cache-ttl: 5m\n")
        #expect(off.keystores.shareTTL == .zero && off.locks.authServer?.timeToLive == .zero)
    }

    @Test func settingsWithoutEffectAreAcceptedAndTold() throws {
        let settings = try read(environment: ["KMS_DATABASE_TIMEOUT": "30", "KMS_DID_DOMAIN": "orb.example"])
        #expect(settings.notices.count == 2)
        #expect(settings.notices.allSatisfy { $0.contains("has no effect") })
    }

    @Test func capabilitiesNeedTheURLTheyAreAbout() throws {
        #expect(try read().capabilities == .off)
        #expect(throws: ConfigurationError.self) { try read(file: "auth-type: ZCAP\n") }
        let base = "base-url: https://kms.example/\n"
        #expect(try read(file: base + "auth-type: ZCAP\n").capabilities == .compatible)
        #expect(try read(file: base + "enable-zcap: true\nzcap-strict: true\n").capabilities == .strict)
        #expect(try read(file: base + "zcap-strict: true\n").capabilities == .off)
        #expect(try read(file: base).baseURL == "https://kms.example")
    }

    @Test func theLocalLockNeedsItsFileTheTokenNeedsNone() throws {
        #expect(throws: ConfigurationError.self) { try read(file: "secret-lock-type: local\n") }
        #expect(throws: ConfigurationError.self) { try read(file: "secret-lock-key-path: /k\n") }
        let settings = try read(file: "secret-lock-type: local\nsecret-lock-key-path: /k\n")
        #expect(settings.secretLock == .localFile(path: "/k"))
        #expect(throws: ConfigurationError.self) { try read(file: "tls-serve-cert: /c\n") }
        #expect(throws: ConfigurationError.self) { try read(file: "tls-serve-key: /k\n") }
    }

    @Test func aFileThatOthersCanChangeIsNotRead() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/kmsd.yaml"
        try "log-level: debug\n".write(toFile: path, atomically: false, encoding: .utf8)
        for mode in [0o622, 0o620, 0o602, 0o666] {
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
            #expect(throws: ConfigurationError.self) { try ConfigurationFile.read(path: path) }
        }
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        #expect(try ConfigurationFile.read(path: path)["log-level"]?.text == "debug")
        let link = folder.path + "/link.yaml"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
        #expect(throws: ConfigurationError.self) { try ConfigurationFile.read(path: link) }
        let error = #expect(throws: ConfigurationError.self) {
            try ConfigurationFile.read(path: folder.path + "/nowhere.yaml")
        }
        #expect(error?.message.contains("nowhere.yaml") == true)
        // Found by itself in the home directory.
        let settings = try Configuration(flags: ["home": folder.path], environment: [:], directory: "/")
        #expect(settings.logLevel == .debug)
    }

    @Test func theOperatorsManualNamesEverySettingWithItsVariableAndIsItselfAValidFile() throws {
        let manual = try String(contentsOfFile: Self.manualPath, encoding: .utf8)
        let entries = try ConfigurationFile.parse(manual, name: "kmsd.yaml.example")
        #expect(try read(file: manual).keystores.lockKeyTTL == .seconds(600))
        // The lines that are commented out must parse too once the sign is gone.
        let uncommented = manual.split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.wholeMatch(of: /#([a-zA-Z-]+: .*)/).map { String($0.output.1) } ?? String($0) }.joined(
                separator: "\n")
        let all = try ConfigurationFile.parse(uncommented, name: "kmsd.yaml.example")
        for key in ConfigurationKey.catalogue where key.isAllowedInFile {
            #expect(all[key.name] != nil, "\(key.name) is missing")
            #expect(manual.contains(key.environment), "\(key.environment) is missing")
            if case .honoured = key.effect { continue }
            if let entry = all[key.name] { #expect(entries[key.name] == nil || key.normalized(entry.text) != nil) }
        }
        for name in ["--home [KMSD_HOME]", "--config [KMS_CONFIG]"] { #expect(manual.contains(name)) }
    }

    @Test func durationsAndSizes() {
        for (text, duration) in [
            ("0", Duration.zero), ("0s", .zero), ("10m", .seconds(600)), ("1h30m", .seconds(5400)),
            ("1.5h", .seconds(5400)),
            ("250ms", .milliseconds(250)), ("1m0.5s", .milliseconds(60_500)), ("3us", .microseconds(3)),
        ] { #expect(DurationText.parse(text) == duration, "\(text)") }
        for text in ["", "10", "m", "-1s", "1 s", "1d", "1s ", ".", "1.s", "1.2.3s", "9999999h", "nan", "٣s"] {
            #expect(DurationText.parse(text) == nil, "\(text)")
        }
        for (text, count) in [("0", 0), ("1024", 1024), ("1KiB", 1024), ("2MiB", 2 << 20), ("1GiB", 1 << 30)] {
            #expect(ByteCountText.parse(text) == count)
        }
        for text in ["", "-1", "1MB", "1 MiB", "1.5MiB", "99999999999GiB", "MiB"] {
            #expect(ByteCountText.parse(text) == nil)
        }
    }

    @Test func editDistanceCountsASwapOfNeighboursAsOneMistake() {
        #expect(NearestName.distance("", "abc") == 3)
        #expect(NearestName.distance("kitten", "sitting") == 3)
        #expect(NearestName.distance("hots", "host") == 1)
        #expect(NearestName.distance("ABC", "abc") == 0)
    }

    private static let manualPath = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("config/kmsd.yaml.example").path

    @discardableResult
    private func read(
        flags: [String: String] = [:], environment: [String: String] = [:], file: String? = nil
    ) throws -> Configuration {
        let entries = try file.map { (name: "kmsd.yaml", entries: try ConfigurationFile.parse($0, name: "kmsd.yaml")) }
        return try Configuration(
            values: ConfigurationValues(flags: flags, environment: environment, file: entries), home: "/h", file: nil)
    }
}

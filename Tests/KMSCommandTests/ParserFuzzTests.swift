import EnclaveLock
import Encodings
import HTTPTypes
import SecretMemory
import TestSupport
import Testing

@testable import HTTPAPI
@testable import KMSCommand
@testable import KMSConfiguration

/// Mutated settings, headers, paths and files are read or refused by name; nothing traps. The same seeds give the same
/// mutations.
@Suite(.timeLimit(.minutes(10))) struct ParserFuzzTests {
    private static let file = """
        # A daemon with much in its file.
        host: 127.0.0.1:8074
        base-url: "https://kms.example"
        lock-ttl: 10m
        max-body: 1MiB
        auth-type: ZCAP
        outbound-allow: 127.0.0.1:1, 10.0.0.0/8, kms.internal
        key-manager-storage-url: https://edv.example/vaults
        secret-lock-aws-key-uri: aws-kms://arn:aws:kms:eu-central-1:123456789012:key/1234
        destroy-grace: 24h

        """

    private static func configuration(_ text: String) throws -> Configuration {
        try Configuration(
            values: ConfigurationValues(
                flags: [:], environment: [:],
                file: (name: "kmsd.yaml", entries: try ConfigurationFile.parse(text, name: "kmsd.yaml"))),
            home: "/h", file: nil)
    }

    @Test func mutatedConfigurationFiles() throws {
        _ = try Self.configuration(Self.file)
        var mutator = Mutator(seed: 81)
        var (read, refused) = (0, 0)
        for _ in 0..<5_000 {
            let text = String(decoding: mutator.mutate(Array(Self.file.utf8)), as: UTF8.self)
            do {
                let settings = try Self.configuration(text)
                #expect(settings.maximumBody >= 1024)
                read += 1
            } catch let error as ConfigurationError {
                #expect(!error.message.isEmpty)
                refused += 1
            }
        }
        #expect(read > 100 && refused > 100)
    }

    @Test func mutatedShareHeaders() throws {
        let (user, share) = (Array("alice@example".utf8), Array("AAECAwQFBgcICQoLDA0ODw==".utf8))
        var mutator = Mutator(seed: 82)
        var read = 0
        for _ in 0..<20_000 {
            var headers = HTTPFields()
            headers[.authUser] = String(decoding: mutator.mutate(user), as: UTF8.self)
            headers[.secretShare] = String(decoding: mutator.mutate(share), as: UTF8.self)
            do {
                let caller = try CallerShare(headers)
                #expect((caller?.user.utf8.count ?? 0) <= 1024)
                if let share = caller?.share { #expect((1...1536).contains(share.count)) }
                read += 1
            } catch {
                #expect((error as? RequestError)?.status == 400)
            }
        }
        #expect(read > 1_000)
    }

    @Test func mutatedShareFiles() throws {
        let text = Array("store1\talice\tAAECAwQFBgcICQoLDA0ODw==\nstore2\tbob\tAAEC\n".utf8)
        func callers(_ bytes: [UInt8]) throws -> [ExactText: CallerShare] {
            try bytes.withUnsafeBytes { try ShareFile.callers($0) }
        }
        let good = try callers(text)
        #expect(good.keys.sorted() == ["store1", "store2"])
        #expect(good["store2"]?.user == "bob" && good["store2"]?.share?.count == 3)
        var mutator = Mutator(seed: 83)
        for _ in 0..<20_000 {
            do {
                for (keystore, caller) in try callers(mutator.mutate(text)) {
                    #expect(!keystore.isEmpty && !caller.user.isEmpty && caller.share != nil)
                }
            } catch {
                #expect((error as? ConfigurationError)?.message.hasPrefix("line ") == true)
            }
        }
    }

    @Test func mutatedPathsAndQueries() throws {
        let paths = [
            "/v1/keystores/c0ekinlioud42c84qs9g/keys/kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k/sign",
            "/v1/keystores/a/keys", "/v1/keystores/did", "/kms/keystores/a/capability",
            "/kms/keystores/a/keys/b/export",
            "/zvault/store/key", "/zauth/setup/a", "/livez",
        ]
        var mutator = Mutator(seed: 84)
        for round in 0..<20_000 {
            let path = String(decoding: mutator.mutate(Array(paths[round % paths.count].utf8)), as: UTF8.self)
            // What names a keystore is guarded as one, and nothing is named that is not there.
            if let match = RouteTable.standard.find(path[...]) {
                for route in match.place.routes where "\(route.path)".contains("{keystore}") {
                    #expect(route.needs != .none && !match.parameters.first.isEmpty)
                }
            }
            let query = String(
                decoding: mutator.mutate(Array("controller=did%3Akey%3Aa&limit=10&after=b".utf8)), as: UTF8.self)
            do throws(RequestError) {
                let read = try QueryParameters(query[...], allowed: ["controller", "limit", "after"])
                if let limit = try read.number("limit", in: 1...1000) { #expect((1...1000).contains(limit)) }
            } catch {
                #expect(error.status == 400)
            }
        }
    }

    @Test func mutatedValuesAreReadWithinTheirBoundsOrRefused() {
        var mutator = Mutator(seed: 85)
        for _ in 0..<20_000 {
            let duration = String(decoding: mutator.mutate(Array("1h30m".utf8)), as: UTF8.self)
            if let read = DurationText.parse(duration) { #expect(read >= .zero) }
            let size = String(decoding: mutator.mutate(Array("64MiB".utf8)), as: UTF8.self)
            if let read = ByteCountText.parse(size) { #expect(read >= 0) }
            let address = String(decoding: mutator.mutate(Array("[::1]:8074".utf8)), as: UTF8.self)
            if let read = try? ListenAddress(parsing: address) { #expect((0...65_535).contains(read.port)) }
        }
    }
}

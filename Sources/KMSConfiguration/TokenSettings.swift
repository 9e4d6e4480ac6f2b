public import BearerTokens
import Encodings
public import SecretMemory

/// Which bearer tokens are accepted, before any file is read.
public struct TokenSettings: Sendable {
    /// Where the HS256 secret is.
    public enum SecretSource: Sendable {
        /// Path or `credential:NAME`.
        case file(String)
        /// Given as a text, for trying out.
        case text(SharedSecret)
    }

    /// Lengths of a secret file in bytes. RFC 7518 §3.2 wants 32; servers that share their secret with others of its
    /// users often have less.
    public static let secretLengths = 16...1024

    public var secret: SecretSource?
    public var keySet: KeySetSettings?
    public var algorithms: Set<BearerAlgorithm>?
    public var issuer: String?
    public var audience: String?

    /// Nil if no tokens are configured.
    init?(_ values: ConfigurationValues) throws(ConfigurationError) {
        secret = try Self.secret(values)
        keySet = try Self.keySet(values)
        issuer = values.text("jwt-issuer").flatMap { $0.isEmpty ? nil : $0 }
        audience = values.text("jwt-audience").flatMap { $0.isEmpty ? nil : $0 }
        algorithms = try Self.algorithms(values)
        if secret == nil, keySet == nil {
            guard issuer == nil, audience == nil, algorithms == nil else {
                throw ConfigurationError(
                    "jwt-algorithms, jwt-issuer and jwt-audience need jwt-secret-file or jwt-jwks-url")
            }
            return nil
        }
        for algorithm in algorithms ?? [] where algorithm.isAsymmetric ? keySet == nil : secret == nil {
            throw ConfigurationError(
                "\(values.origin("jwt-algorithms")): \(algorithm.rawValue) needs "
                    + (algorithm.isAsymmetric ? "jwt-jwks-url" : "jwt-secret-file"))
        }
    }

    /// Reads the secret.
    ///
    /// - Throws: ``ConfigurationError`` naming the file.
    public func load() throws(ConfigurationError) -> BearerTokenSettings {
        BearerTokenSettings(
            secret: try loadSecret(), keySet: keySet, algorithms: algorithms, issuer: issuer, audience: audience)
    }

    /// The HS256 secret; nil if there is none.
    package func loadSecret() throws(ConfigurationError) -> SharedSecret? {
        switch secret {
        case nil: return nil
        case .text(let secret): return secret
        case .file(let source):
            do throws(SecretFileError) {
                return SharedSecret(try SecretFile.read(source, lengths: Self.secretLengths))
            } catch {
                throw ConfigurationError("jwt-secret-file: \(error.message)", isAboutRights: error.isAboutRights)
            }
        }
    }

    private static func secret(_ values: ConfigurationValues) throws(ConfigurationError) -> SecretSource? {
        let file = values.text("jwt-secret-file").flatMap { $0.isEmpty ? nil : $0 }
        guard let text = values.text("jwt-secret"), !text.isEmpty else { return file.map { .file($0) } }
        guard values.boolean("dev") == true else {
            throw ConfigurationError(
                "\(values.origin("jwt-secret")) is refused: other users can read arguments and variables; use "
                    + "jwt-secret-file, or 'dev: true' for trying out")
        }
        guard file == nil else {
            throw ConfigurationError("\(values.origin("jwt-secret")) and jwt-secret-file are both given")
        }
        do {
            let bytes = try SecretBytes.make(count: text.utf8.count) { $0.copyBytes(from: text.utf8) }
            return .text(SharedSecret(bytes))
        } catch {
            throw ConfigurationError("jwt-secret could not be held in locked memory: \(error)", isAboutRights: true)
        }
    }

    private static func keySet(_ values: ConfigurationValues) throws(ConfigurationError) -> KeySetSettings? {
        guard let url = values.text("jwt-jwks-url"), !url.isEmpty else { return nil }
        _ = try Configuration.explained(values, "jwt-jwks-url") { _ throws(ConfigurationError) in
            try URLSetting.read(url, .whole)
        }
        let refresh = values.duration("jwt-jwks-refresh") ?? .seconds(300)
        let stale = values.duration("jwt-jwks-stale") ?? .seconds(3600)
        guard refresh >= .seconds(1) else {
            throw ConfigurationError("\(values.origin("jwt-jwks-refresh")): the shortest interval is 1s")
        }
        guard stale >= refresh || values.text("jwt-jwks-stale") == nil else {
            throw ConfigurationError("\(values.origin("jwt-jwks-stale")): must not be shorter than jwt-jwks-refresh")
        }
        return KeySetSettings(url: url, refresh: refresh, staleLimit: stale)
    }

    private static func algorithms(_ values: ConfigurationValues) throws(ConfigurationError) -> Set<BearerAlgorithm>? {
        guard let text = values.text("jwt-algorithms"), !text.isEmpty else { return nil }
        var algorithms: Set<BearerAlgorithm> = []
        for name in text.splitExactly(at: ",") {
            let name = name.trimmingPrefix { $0 == " " }
            guard let algorithm = BearerAlgorithm(rawValue: String(name)) else {
                throw ConfigurationError(
                    "\(values.origin("jwt-algorithms")): expected HS256, RS256, ES256, EdDSA, separated by commas")
            }
            algorithms.insert(algorithm)
        }
        return algorithms
    }
}

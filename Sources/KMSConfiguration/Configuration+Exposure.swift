import Encodings
import SecretMemory

/// What guards the routes that no capability names: making keystores, and this server's own.
public enum ManagementKind: String, Sendable, Hashable {
    /// A bearer token.
    case tokens = "jwt"
    /// A client certificate.
    case certificates = "mtls"
}

extension Configuration {
    /// Refuses to listen beyond loopback unless every route that uses a key needs an authorization, over TLS.
    func checkExposure(origin: String) throws(ConfigurationError) {
        if listen.isLoopback { return }
        var missing: [String] = []
        if tls == nil { missing.append("HTTPS (tls-serve-cert and tls-serve-key)") }
        if capabilities == .off, gnap == nil { missing.append("auth-type (ZCAP or GNAP)") }
        if administration == nil { missing.append("admin-guard (jwt or mtls)") }
        if missing.isEmpty { return }
        throw ConfigurationError(
            "\(origin): listening on '\(listen.host)' is refused: requests are not authorised, or can be read, so "
                + "whoever reaches the port may use keys. Missing: \(missing.joined(separator: ", ")). Or give "
                + "127.0.0.1, localhost or [::1] and put a proxy that authenticates in front")
    }

    /// Origins as browsers send them: scheme, host and port, nothing behind.
    static func origins(_ values: ConfigurationValues) throws(ConfigurationError) -> [String] {
        let origins = (values.text("cors-origins") ?? "").splitExactly(at: ",", omittingEmpty: true).map(String.init)
        for origin in origins {
            func refused(_ reason: String) -> ConfigurationError {
                ConfigurationError(
                    "\(values.origin("cors-origins")): expected origins such as https://wallet.example, separated by "
                        + "commas: \(reason)")
            }
            let url: String
            do throws(ConfigurationError) { url = try URLSetting.read(origin, .base) } catch {
                throw refused(error.message)
            }
            let rest = url.drop { $0 != "/" }.dropFirst(2)
            guard url.isExactly(origin), !rest.containsExactly("/") else { throw refused("an origin has no path") }
            // Browsers send it in one spelling, and it is compared by bytes.
            let authority = HostField.normalized(String(rest), isSecure: url.startsExactly(with: "https:"))
            guard rest.isExactly(authority) else {
                throw refused("browsers send it in lower case and without the scheme's own port")
            }
        }
        return origins
    }

    /// Checks what the guard of making keystores and of own routes needs.
    static func administration(
        _ values: ConfigurationValues, tokens: TokenSettings?, tls: TLSFiles?
    ) throws(ConfigurationError) -> ManagementKind? {
        let kind = values.text("admin-guard").flatMap { ManagementKind(rawValue: $0) }
        let origin = values.origin("admin-guard")
        let authorities = values.text("tls-client-cacerts") ?? ""
        switch kind {
        case .tokens where tokens == nil:
            throw ConfigurationError("\(origin): jwt needs jwt-secret-file or jwt-jwks-url")
        case .certificates where tls == nil || authorities.isEmpty:
            throw ConfigurationError("\(origin): mtls needs tls-serve-cert, tls-serve-key and tls-client-cacerts")
        default: break
        }
        guard kind == .certificates || authorities.isEmpty else {
            throw ConfigurationError("\(values.origin("tls-client-cacerts")) is for 'admin-guard: mtls'")
        }
        return kind
    }

    /// Absolute paths.
    static func clientAuthorities(_ values: ConfigurationValues) throws(ConfigurationError) -> [String] {
        let paths = (values.text("tls-client-cacerts") ?? "").splitExactly(at: ",", omittingEmpty: true).map(
            String.init)
        guard paths.allSatisfy(NamedFile.isName) else {
            throw ConfigurationError(
                "\(values.origin("tls-client-cacerts")): expected absolute paths or credential:NAME, separated by commas"
            )
        }
        return paths
    }
}

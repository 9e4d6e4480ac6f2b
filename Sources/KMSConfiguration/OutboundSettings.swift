import EDV
import Encodings
public import OutboundHTTP
import SecretMemory

/// Which servers this daemon may call, and who vouches for them.
public struct OutboundSettings: Sendable, Hashable {
    public var policy: OutboundPolicy
    /// PEM files.
    public var authorities: [String]
    /// Whether the system's authorities count beside the files'.
    public var trustsSystem: Bool
    /// For one operation on a vault, with all its calls.
    public var vaultTimeout: Duration
    /// Without a slash at its end: where the vaults are that the first generation's requests name by id alone.
    public var legacyVaultServer: String?

    init(_ values: ConfigurationValues) throws(ConfigurationError) {
        do throws(OutboundError) {
            policy = try OutboundPolicy(allowing: values.text("outbound-allow") ?? "")
        } catch {
            throw ConfigurationError("\(values.origin("outbound-allow")): \(error.message)")
        }
        authorities = (values.text("tls-cacerts") ?? "").splitExactly(at: ",", omittingEmpty: true).map(String.init)
        guard authorities.allSatisfy(NamedFile.isName) else {
            throw ConfigurationError(
                "\(values.origin("tls-cacerts")): expected absolute paths or credential:NAME, separated by commas")
        }
        trustsSystem = values.boolean("tls-systemcertpool") == true
        vaultTimeout = values.duration("edv-timeout") ?? .seconds(30)
        guard vaultTimeout >= .milliseconds(100), vaultTimeout <= .seconds(600) else {
            throw ConfigurationError("\(values.origin("edv-timeout")): expected 100ms to 10m")
        }
        legacyVaultServer = try Self.legacyVaultServer(values, policy)
    }

    private static func legacyVaultServer(
        _ values: ConfigurationValues, _ policy: OutboundPolicy
    ) throws(ConfigurationError) -> String? {
        guard let text = values.text("key-manager-storage-url"), !text.isEmpty else { return nil }
        let url = try Configuration.explained(values, "key-manager-storage-url") { _ throws(ConfigurationError) in
            try URLSetting.read(text, .base)
        }
        do {
            _ = try VaultAddress(url + "/vault")
            try policy.check(url: url)
        } catch let error as EDVError {
            throw ConfigurationError("\(values.origin("key-manager-storage-url")): \(error.message)")
        } catch let error as OutboundError {
            throw ConfigurationError("\(values.origin("key-manager-storage-url")): \(error.message)")
        } catch {
            throw ConfigurationError("\(values.origin("key-manager-storage-url")): \(error)")
        }
        return url
    }

    /// Servers that settings name beside ``legacyVaultServer``, and that this daemon calls.
    private static let servers = ["jwt-jwks-url", "auth-server-url", "split-auth-url", "secret-lock-aws-endpoint"]

    /// Judges their addresses now, as far as that can be done without asking for a name: each call would be refused.
    func checkServers(_ values: ConfigurationValues) throws(ConfigurationError) {
        for name in Self.servers {
            guard let url = values.text(name), !url.isEmpty else { continue }
            do throws(OutboundError) { try policy.check(url: url) } catch {
                throw ConfigurationError("\(values.origin(name)): \(error.message)")
            }
        }
    }

    /// Makes the client.
    ///
    /// - Parameter calls: Most at once.
    /// - Throws: ``ConfigurationError`` for a file that holds no certificates.
    public func client(calls: Int = 128) throws(ConfigurationError) -> OutboundClient {
        OutboundClient(policy: policy, trust: try trust(), mostCalls: calls)
    }

    /// Reads who vouches for other servers, now.
    ///
    /// - Throws: ``ConfigurationError`` for a file that holds no certificates.
    package func trust() throws(ConfigurationError) -> OutboundTrust {
        do throws(OutboundError) {
            return try OutboundTrust(files: authorities, system: trustsSystem)
        } catch {
            throw ConfigurationError("tls-cacerts: \(error.message)", isAboutRights: error.isAboutRights)
        }
    }
}

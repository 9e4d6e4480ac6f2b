import EDV
public import Outbound

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
        authorities = (values.text("tls-cacerts") ?? "").split(separator: ",").map(String.init)
        guard authorities.allSatisfy({ $0.hasPrefix("/") }) else {
            throw ConfigurationError("\(values.origin("tls-cacerts")): expected absolute paths, separated by commas")
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
        guard var url = values.text("key-manager-storage-url"), !url.isEmpty else { return nil }
        while url.hasSuffix("/") { url.removeLast() }
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

    /// Makes the client.
    ///
    /// - Throws: ``ConfigurationError`` for a file that holds no certificates.
    public func client() throws(ConfigurationError) -> OutboundClient {
        do throws(OutboundError) {
            return OutboundClient(policy: policy, trust: try OutboundTrust(files: authorities, system: trustsSystem))
        } catch {
            throw ConfigurationError("tls-cacerts: \(error.message)")
        }
    }
}

public import Decryption
import Encodings
import InclusionProofs
package import LightClient
import TFHE

/// How the decryption API is run.
public struct DecryptionSettings: Sendable {
    public enum HeaderSource: Sendable {
        /// Headers are verified here, from a height and hash on.
        case embedded(primary: String, witnesses: [String], height: Int64, hash: [UInt8])
        /// A light proxy on this machine verifies them.
        case proxy(String)
    }

    public var listen: ListenAddress
    public var generation: Generation
    public var hasCompatibleStatuses: Bool
    public var clientAuthorities: [String]
    public var maximumMessage: Int
    public var chainID: String
    public var headers: HeaderSource
    public var trustingPeriod: Duration
    /// Nil for no bound.
    public var headAge: Duration?
    public var isSequential: Bool
    public var poll: Duration
    public var policy: DecryptionPolicy

    /// Nil unless the front is on.
    init?(_ values: ConfigurationValues, tls: Configuration.TLSFiles?) throws(ConfigurationError) {
        guard let host = values.text("decryption-host"), !host.isEmpty else { return nil }
        do throws(ConfigurationError) { listen = try ListenAddress(parsing: host) } catch {
            throw ConfigurationError("\(values.origin("decryption-host")): \(error.message)")
        }
        guard let generation = Generation(rawValue: values.text("decryption-generation") ?? "GA") else {
            throw ConfigurationError("\(values.origin("decryption-generation")): expected GA, GB or GN")
        }
        self.generation = generation
        hasCompatibleStatuses = values.boolean("decryption-compat-status") == true
        clientAuthorities = Self.list(values, "decryption-client-cacerts")
        guard clientAuthorities.isEmpty || tls != nil else {
            throw ConfigurationError(
                "\(values.origin("decryption-client-cacerts")) needs tls-serve-cert and tls-serve-key")
        }
        guard listen.isLoopback || tls != nil && !clientAuthorities.isEmpty else {
            throw ConfigurationError(
                "\(values.origin("decryption-host")): listening on '\(listen.host)' needs mutual TLS (tls-serve-cert, "
                    + "tls-serve-key, decryption-client-cacerts); or give 127.0.0.1, localhost or [::1]")
        }
        maximumMessage = values.byteCount("decryption-max-message") ?? 4 << 20
        chainID = try Self.needed(values, "decryption-chain-id")
        headers = try Self.headers(values)
        trustingPeriod = values.duration("decryption-trusting-period") ?? .seconds(168 * 3_600)
        let headAge = values.duration("decryption-max-head-age") ?? .seconds(3_600)
        guard headAge == .zero || headAge >= .seconds(1) else {
            throw ConfigurationError("\(values.origin("decryption-max-head-age")): expected 0, or 1s or more")
        }
        self.headAge = headAge == .zero ? nil : headAge
        isSequential = values.boolean("decryption-sequential") == true
        poll = values.duration("decryption-poll") ?? .seconds(1)
        guard poll >= .milliseconds(50), poll <= .seconds(600) else {
            throw ConfigurationError("\(values.origin("decryption-poll")): expected 50ms to 10m")
        }
        policy = try Self.policy(values, maximumMessage)
        // What the light client refuses is told at the start.
        do throws(LightClientError) { _ = try clientSettings() } catch {
            throw ConfigurationError("the settings of the light client: \(error.message)")
        }
    }

    package func rules() throws(LightClientError) -> TrustRules {
        try TrustRules(
            chainID: chainID, trustingPeriod: trustingPeriod.components.seconds,
            headAge: headAge?.components.seconds)
    }

    package func clientSettings() throws(LightClientError) -> LightClientSettings {
        try LightClientSettings(rules: rules(), isSequential: isSequential, maximumAge: policy.maximumAge)
    }

    private static func headers(_ values: ConfigurationValues) throws(ConfigurationError) -> HeaderSource {
        let primary = try url(values, "decryption-rpc", try needed(values, "decryption-rpc"))
        guard values.text("decryption-light-client") != "proxy" else {
            guard isOfThisMachine(primary) else {
                throw ConfigurationError(
                    "\(values.origin("decryption-rpc")): a light proxy is believed, so it must be on this machine: "
                        + "http://127.0.0.1:PORT")
            }
            return .proxy(primary)
        }
        var witnesses: [String] = []
        for text in list(values, "decryption-witnesses") {
            witnesses.append(try url(values, "decryption-witnesses", text))
        }
        guard !witnesses.isEmpty else {
            throw ConfigurationError(
                "'decryption-witnesses' must name a node beside decryption-rpc: one source alone could show a chain of its own"
            )
        }
        guard !witnesses.map(place).contains(place(primary)) else {
            throw ConfigurationError(
                "\(values.origin("decryption-witnesses")): the node of decryption-rpc is no witness for itself")
        }
        let trust = try needed(values, "decryption-trust")
        let parts = trust.splitExactly(at: ":")
        guard parts.count == 2, let height = Int64(parts[0]), height >= 1,
            let hash = Hexadecimal.decode(String(parts[1]), .either), hash.count == 32
        else {
            throw ConfigurationError(
                "\(values.origin("decryption-trust")): expected HEIGHT:HASH, the hash being 64 hexadecimal digits")
        }
        return .embedded(primary: primary, witnesses: witnesses, height: height, hash: hash)
    }

    /// A node's URL as far as it says where the node is: its host in lower case, without a dot at the end and without the port
    /// that the scheme has anyway.
    private static func place(_ url: String) -> String {
        var parts = url.splitExactly(at: "/").map(String.init)
        guard parts.count > 2 else { return url }
        let port = parts[0].isExactly("https:") ? ":443" : ":80"
        var host = String(decoding: parts[2].utf8.map { 0x41...0x5A ~= $0 ? $0 | 0x20 : $0 }, as: UTF8.self)
        if host.endsExactly(with: port) { host.removeLast(port.count) }
        if host.endsExactly(with: ".") { host.removeLast() }
        parts[2] = host
        return parts.joined(separator: "/")
    }

    private static func policy(
        _ values: ConfigurationValues, _ maximumMessage: Int
    ) throws(ConfigurationError) -> DecryptionPolicy {
        let contract = try address(values, "decryption-acl-contract", try needed(values, "decryption-acl-contract"))
        let accessList: AccessList
        do throws(ProofError) {
            accessList =
                values.text("decryption-acl-layout") == "early"
                ? try AccessList(
                    contract: contract, base: [UInt8](repeating: 0, count: 32), decryptOffset: 0, reencryptOffset: nil)
                : try AccessList(
                    contract: contract, base: AccessList.namespace, decryptOffset: 1, reencryptOffset: 0)
        } catch { throw ConfigurationError("decryption-acl-contract: \(error.message)") }
        var policy = DecryptionPolicy(accessList: accessList)
        policy.proofForm = values.text("decryption-proof-form").flatMap(ProofForm.init(rawValue:)) ?? .ics23
        policy.maximumAge = Int64(values.number("decryption-max-proof-age") ?? 100)
        policy.requiresUserAuthorization = values.boolean("decryption-require-user-auth") ?? true
        policy.legacyFormat = values.text("decryption-format").flatMap(CiphertextFormat.init(rawValue:))
        policy.maximumCiphertext = maximumMessage
        policy.rate = values.number("decryption-rate") ?? 0
        if let key = values.text("decryption-key"), !key.isEmpty {
            guard DecryptionKeyRecord.isName(key) else {
                throw ConfigurationError("\(values.origin("decryption-key")): expected 1 to 64 letters and digits")
            }
            policy.keyID = key
        }
        let (chain, verifier) = (values.text("decryption-auth-chain-id"), values.text("decryption-auth-contract"))
        switch (chain.flatMap { $0.isEmpty ? nil : $0 }, verifier.flatMap { $0.isEmpty ? nil : $0 }) {
        case (nil, nil): break
        case (let chain?, let verifier?):
            guard let number = UInt64(chain) else {
                throw ConfigurationError(
                    "\(values.origin("decryption-auth-chain-id")): expected a whole number below 2^64")
            }
            policy.domain = UserAuthorization.Domain(
                chainID: number, contract: try address(values, "decryption-auth-contract", verifier))
        default:
            throw ConfigurationError("decryption-auth-chain-id and decryption-auth-contract must be given together")
        }
        return policy
    }

    private static func needed(
        _ values: ConfigurationValues, _ name: String
    ) throws(ConfigurationError) -> String {
        guard let text = values.text(name), !text.isEmpty else {
            throw ConfigurationError("'decryption-host' needs \(name)")
        }
        return text
    }

    private static func list(_ values: ConfigurationValues, _ name: String) -> [String] {
        (values.text(name) ?? "").splitExactly(at: ",", omittingEmpty: true).map { String($0.trimmingBlanks()) }
    }

    private static func url(
        _ values: ConfigurationValues, _ name: String, _ text: String
    ) throws(ConfigurationError) -> String {
        do throws(ConfigurationError) { return try URLSetting.read(text, .base) } catch {
            throw ConfigurationError("\(values.origin(name)): \(error)")
        }
    }

    private static func isOfThisMachine(_ url: String) -> Bool {
        let rest = url.trimmingPrefix("http://").trimmingPrefix("https://")
        let authority = rest.prefix { $0 != "/" }
        let text = authority.utf8.contains(UInt8(ascii: ":")) ? String(authority) : "\(authority):80"
        return (try? ListenAddress(parsing: text))?.isLoopback == true
    }

    private static func address(
        _ values: ConfigurationValues, _ name: String, _ text: String
    ) throws(ConfigurationError) -> [UInt8] {
        guard text.startsExactly(with: "0x"), let bytes = Hexadecimal.decode(String(text.dropFirst(2)), .either),
            bytes.count == 20
        else { throw ConfigurationError("\(values.origin(name)): expected 0x and 40 hexadecimal digits") }
        return bytes
    }
}

import ArgumentParser
import Decryption
import DecryptionAPI
import DecryptionClient
import Encodings
import Foundation
import InclusionProofs
import KMSConfiguration
import KMSDaemon
import LibCrypto
import OutboundHTTP
import SecretMemory

/// Which server of the decryption API a verb asks.
struct DecryptionServerOptions: ParsableArguments {
    @Option(help: "The server's address, such as 127.0.0.1:50051. [KMS_DECRYPTION_HOST]") var server: String?
    @Flag(help: "Speak TLS.") var tls = false
    @Option(
        name: .customLong("tls-cacerts"),
        help: "With --tls: PEM files, separated by commas: authorities of the server; else the system's.")
    var authorities: String?
    @Option(name: .customLong("tls-cert"), help: "With --tls: a client certificate, PEM.") var certificate: String?
    @Option(name: .customLong("tls-key"), help: "Its key, a PEM file that nobody else reads.") var key: String?
    @Option(help: "How long to wait for an answer.") var timeout: String = "30s"

    func channel() throws -> DecryptionChannel {
        guard let text = server ?? RemoteOptions.variable("KMS_DECRYPTION_HOST") else {
            throw CommandFailure.usage(
                "no server is named; give --server or KMS_DECRYPTION_HOST, such as 127.0.0.1:50051")
        }
        guard let (host, port) = Self.address(text) else {
            throw CommandFailure.usage("--server: expected host:port, such as 127.0.0.1:50051 or [::1]:50051")
        }
        guard let timeout = DurationText.parse(timeout), timeout >= .seconds(1), timeout <= .seconds(3600) else {
            throw CommandFailure.usage("--timeout: expected a duration from 1s to 1h")
        }
        guard tls || (authorities ?? certificate ?? key) == nil, (certificate == nil) == (key == nil) else {
            throw CommandFailure.usage(
                "--tls-cacerts, --tls-cert and --tls-key need --tls, and the last two each other")
        }
        let files = (authorities ?? "").splitExactly(at: ",", omittingEmpty: true).map { Self.absolute(String($0)) }
        let (shown, secret) = (certificate.map(Self.absolute), key.map(Self.absolute))
        try Self.check(files, shown, secret)
        return DecryptionChannel(
            host: host, port: port,
            tls: tls ? DecryptionChannel.TLS(authorities: files, certificate: shown, key: secret) : nil,
            timeout: timeout)
    }

    /// The transport's own words about files that it cannot use name neither the file nor what is wrong with it, and it takes a
    /// key that everybody can read.
    private static func check(_ authorities: [String], _ certificate: String?, _ key: String?) throws {
        for file in authorities + [certificate].compactMap({ $0 }) {
            _ = try FiledCertificate.read(file, upTo: 4 << 20)
        }
        // A path may be a link: that is how certbot keeps the present one.
        if let key { _ = try SecretFile.read(key, lengths: 1...65_536, followsLinks: true) }
    }

    private static func absolute(_ path: String) -> String {
        path.utf8.first == UInt8(ascii: "/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }

    private static func address(_ text: String) -> (host: String, port: Int)? {
        guard let colon = text.utf8.lastIndex(of: UInt8(ascii: ":")), let port = Int(text[text.index(after: colon)...]),
            1...65_535 ~= port
        else { return nil }
        var host = String(text[..<colon])
        if host.utf8.first == UInt8(ascii: "["), host.utf8.last == UInt8(ascii: "]") {
            host = String(host.dropFirst().dropLast())
        }
        return host.isEmpty ? nil : (host, port)
    }
}

/// The contract whose permissions count.
struct ContractOptions: ParsableArguments {
    @Option(help: "The access list's contract, 20 bytes in hexadecimal. [KMS_DECRYPTION_ACL_CONTRACT]")
    var contract: String?
    @Option(help: "namespaced (default) or early: how it stores permissions. [KMS_DECRYPTION_ACL_LAYOUT]")
    var layout: String?

    /// Nil if no contract is named.
    func accessList() throws -> AccessList? {
        guard let text = contract ?? RemoteOptions.variable("KMS_DECRYPTION_ACL_CONTRACT") else { return nil }
        let contract = try HexArgument.bytes(text, 20, "--contract")
        switch layout ?? RemoteOptions.variable("KMS_DECRYPTION_ACL_LAYOUT") ?? "namespaced" {
        case "namespaced":
            return try AccessList(
                contract: contract, base: AccessList.namespace, decryptOffset: 1, reencryptOffset: 0)
        case "early":
            return try AccessList(
                contract: contract, base: [UInt8](repeating: 0, count: 32), decryptOffset: 0, reencryptOffset: nil)
        default: throw CommandFailure.usage("--layout: expected namespaced or early")
        }
    }
}

/// The daemon's key for results, which the caller knows from elsewhere.
struct ResultKeyOptions: ParsableArguments {
    @Option(
        help: """
            The daemon's key for results, as `kmsd decryption status` prints it, such as ES256K:02…; pin what you got \
            when the daemon was set up.
            """)
    var resultKey: String

    func key() throws -> ResultKey {
        guard let colon = resultKey.utf8.firstIndex(of: UInt8(ascii: ":")) else {
            throw CommandFailure.usage("--result-key: expected ES256K: or ES256: and 66 hexadecimal digits")
        }
        do throws(ClientError) {
            return try ResultKey(
                String(resultKey[resultKey.index(after: colon)...]), algorithm: String(resultKey[..<colon]))
        } catch { throw CommandFailure.usage("--result-key: \(error.message)") }
    }
}

/// Names of types on the command line, with their numbers.
enum TypeArgument {
    private static let names = ["bool", "u4", "u8", "u16", "u32", "u64", "u128", "u160", "u256"]
    /// tfhe-rs's types 12 to 29: odd widths, and numbers with a sign.
    private static let laterNames =
        ["u2", "u6", "u10", "u12", "u14"]
        + ["i2", "i4", "i6", "i8", "i10", "i12", "i14", "i16", "i32", "i64", "i128", "i160", "i256"]

    /// - Parameter service: A generation or own.
    static func number(_ name: String, _ service: ClientService) throws -> UInt32 {
        let known =
            switch service {
            case .ga: ["bool", "u8", "u16", "u32"]
            case .gb, .gn: Array(names.prefix(6))
            case .own: names
            }
        if let index = known.firstIndex(where: { $0.isExactly(name) }) { return UInt32(index) }
        if service == .own, let index = laterNames.firstIndex(where: { $0.isExactly(name) }) {
            return UInt32(12 + index)
        }
        let all = service == .own ? known + laterNames : known
        throw CommandFailure.usage("--type: \(service.rawValue) knows \(all.joined(separator: ", "))")
    }
}

/// Which of the services is asked.
enum ClientService: String, ExpressibleByArgument, CaseIterable, Codable, Sendable {
    case own
    case ga = "GA"
    case gb = "GB"
    case gn = "GN"

    var generation: Generation? {
        switch self {
        case .own: nil
        case .ga: .ga
        case .gb: .gb
        case .gn: .gn
        }
    }
}

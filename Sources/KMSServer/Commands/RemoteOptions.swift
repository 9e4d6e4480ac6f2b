import ArgumentParser
import Foundation
import Outbound
import StrictJSON

/// Which server a verb asks, with the names of the original's command-line client.
struct RemoteOptions: ParsableArguments {
    @Option(help: "The server's URL. [KMS_CLI_URL]") var url: String?
    @Option(
        help: """
            Bearer token. Other users of the machine can read arguments: KMS_CLI_AUTH_TOKEN is better. \
            [KMS_CLI_AUTH_TOKEN]
            """)
    var authToken: String?
    @Option(
        name: .customLong("tls-cacerts"),
        help: "PEM files, separated by commas: authorities of the server. [KMS_CLI_TLS_CACERTS]")
    var authorities: String?
    @Option(
        name: .customLong("tls-systemcertpool"),
        help: "true: the system's authorities count beside them. [KMS_CLI_TLS_SYSTEMCERTPOOL]")
    var systemAuthorities: String?

    private static func variable(_ name: String) -> String? {
        ProcessInfo.processInfo.environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Posts an object and gives the text members of the answer.
    ///
    /// - Throws: ``CommandFailure`` for a server that is not there or refuses; it says why.
    func post(_ path: String, _ body: [String: String]) async throws -> [String: String] {
        guard let text = url ?? Self.variable("KMS_CLI_URL") else {
            throw CommandFailure(
                .usage, code: "usage",
                "No server is named; give --url or KMS_CLI_URL, such as http://127.0.0.1:8074")
        }
        guard let address = URLComponents(string: text),
            let host = address.host, address.scheme == "http" || address.scheme == "https"
        else {
            throw CommandFailure(.usage, code: "usage", "--url: expected the server's URL, such as https://kms.example")
        }
        let port = address.port ?? (address.scheme == "https" ? 443 : 80)
        let trusted = (authorities ?? Self.variable("KMS_CLI_TLS_CACERTS") ?? "").split(separator: ",").map(String.init)
        let system = try trustsSystem()
        var headers = [(name: "Content-Type", value: "application/json")]
        if let token = authToken ?? Self.variable("KMS_CLI_AUTH_TOKEN") {
            headers.append((name: "Authorization", value: "Bearer " + token))
        }
        let answer: OutboundAnswer
        do throws(OutboundError) {
            // The caller names the server: it may be any, on this machine too.
            let client = OutboundClient(
                policy: try OutboundPolicy(allowing: "\(host):\(port)"),
                trust: try OutboundTrust(files: trusted, system: system))
            answer = try await client.send(
                OutboundRequest(
                    method: "POST", url: String(text.reversed().drop { $0 == "/" }.reversed()) + path, headers: headers,
                    body: Self.encoded(body)))
            await client.shutdown()
        } catch {
            throw CommandFailure(.unavailable, code: error.code.rawValue, error.message)
        }
        let read = try? JSONNode(reading: answer.body)
        guard answer.status == 200 else {
            let reason = read?["message"]?.text ?? String(decoding: answer.body.prefix(200), as: UTF8.self)
            throw CommandFailure(
                answer.status == 401 || answer.status == 403 ? .permission : .failed, code: "refused",
                "the server answered \(answer.status): \(HarmlessText.of(reason))")
        }
        guard case .object(let members) = read else { return [:] }
        return members.compactMapValues(\.text)
    }

    /// Without authorities of its own the system's count in any case.
    private func trustsSystem() throws -> Bool {
        guard let text = systemAuthorities ?? Self.variable("KMS_CLI_TLS_SYSTEMCERTPOOL") else { return false }
        guard let value = ConfigurationKey.truth(text) else {
            throw CommandFailure(.usage, code: "usage", "--tls-systemcertpool: expected true or false")
        }
        return value
    }

    private static func encoded(_ body: [String: String]) -> [UInt8] {
        // Texts always encode.
        (try? JSONEncoder().encode(body)).map { [UInt8]($0) } ?? []
    }
}

import ArgumentParser
import Encodings
import Foundation
import KMSConfiguration
import KMSDaemon
import OutboundHTTP
import SecretMemory

/// Which server a verb asks, with the names of TrustBloc's command-line client.
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
    @Option(
        help: "Whose share opens the keystore, if it is locked by shares. [KMS_CLI_SHARE_USER]")
    var shareUser: String?
    @Option(help: "That user's share: a file of mode 0600, or credential:NAME, with its base64. [KMS_CLI_SHARE_FILE]")
    var shareFile: String?

    /// A variable that is set to something.
    static func variable(_ name: String) -> String? {
        ProcessInfo.processInfo.environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Sends an object, or nothing, and gives the text members of the answer.
    ///
    /// - Throws: ``CommandFailure`` for a server that is not there or refuses; it says why.
    // exact: names of settings and members, this program's own.
    func post(_ path: String, _ body: [String: String]) async throws -> [String: String] {
        guard case .object(let members) = try await call("POST", path, body) else { return [:] }
        let texts = members.compactMap { name, value in value.text.map { (name.text, $0) } }
        return Dictionary(texts) { first, _ in first }
    }

    /// Asks and gives the answer of a success.
    ///
    /// - Throws: ``CommandFailure`` for a server that is not there or refuses; it says why.
    @discardableResult
    // exact: names of settings and members, this program's own.
    func call(_ method: String, _ path: String, _ body: [String: String]? = nil) async throws -> JSONNode {
        let answer = try await send(method, path, body)
        guard answer.status == 200 else { throw Self.refusal(answer) }
        guard !answer.body.isEmpty else { return .object([:]) }
        guard let read = try? JSONNode(reading: answer.body) else {
            throw CommandFailure(
                .failed, code: "answer", "the server's answer is no JSON; is --url a kmsd or another program?")
        }
        return read
    }

    // exact: names of settings and members, this program's own.
    private func send(_ method: String, _ path: String, _ body: [String: String]?) async throws -> OutboundAnswer {
        let (base, host, port) = try server()
        let trusted = (authorities ?? Self.variable("KMS_CLI_TLS_CACERTS") ?? "").splitExactly(
            at: ",", omittingEmpty: true
        ).map(String.init)
        let system = try trustsSystem()
        var headers: [(name: String, value: String)] = []
        if body != nil { headers.append((name: "Content-Type", value: "application/json")) }
        if let token = authToken ?? Self.variable("KMS_CLI_AUTH_TOKEN") {
            headers.append((name: "Authorization", value: "Bearer " + token))
        }
        headers += try shareHeaders()
        do throws(OutboundError) {
            // The caller names the server: it may be any, on this machine too.
            let client = OutboundClient(
                policy: try OutboundPolicy(allowing: "\(host):\(port)"),
                trust: try OutboundTrust(files: trusted, system: system))
            let answer: Result<OutboundAnswer, OutboundError>
            do throws(OutboundError) {
                answer = .success(
                    try await client.send(
                        OutboundRequest(
                            method: method, url: base + path, headers: headers, body: body.map(Self.encoded) ?? [])))
            } catch {
                answer = .failure(error)
            }
            await client.shutdown()
            return try answer.get()
        } catch {
            let remedy =
                error.code == .certificateRefused
                ? ". If it is an authority that is missing, name it with --tls-cacerts or KMS_CLI_TLS_CACERTS" : ""
            throw CommandFailure(
                error.code == .configurationRefused ? .configuration : .unavailable, code: error.code.rawValue,
                "\(base): \(error.message)\(remedy)")
        }
    }

    /// What keystores that are locked by shares want with every request.
    ///
    /// The client takes headers as text, so the share is outside locked memory until this short process ends.
    private func shareHeaders() throws -> [(name: String, value: String)] {
        let user = shareUser ?? Self.variable("KMS_CLI_SHARE_USER")
        guard let file = shareFile ?? Self.variable("KMS_CLI_SHARE_FILE") else {
            return user.map { [(name: "Auth-User", value: $0)] } ?? []
        }
        guard let user else {
            throw CommandFailure(.usage, code: "usage", "--share-user: whose share is it?")
        }
        let isNamed = ["/", "credential:", "file:"].contains { file.startsExactly(with: $0) }
        let path = isNamed ? file : FileManager.default.currentDirectoryPath + "/" + file
        let share: SecretBytes
        do { share = try SecretFile.read(path, lengths: 1...2048) } catch {
            throw CommandFailure(.permission, code: "share-file", error.message)
        }
        return [
            (name: "Auth-User", value: user),
            (name: "Secret-Share", value: share.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }),
        ]
    }

    /// - Throws: ``CommandFailure`` without a server, or for a URL that names none.
    private func server() throws -> (base: String, host: String, port: Int) {
        guard let text = url ?? Self.variable("KMS_CLI_URL") else {
            throw CommandFailure(
                .usage, code: "usage",
                "No server is named; give --url or KMS_CLI_URL, such as http://127.0.0.1:8074")
        }
        guard let address = URLComponents(string: text),
            let host = address.host, !host.isEmpty, address.scheme == "http" || address.scheme == "https"
        else {
            throw CommandFailure(.usage, code: "usage", "--url: expected the server's URL, such as https://kms.example")
        }
        let port = address.port ?? (address.scheme == "https" ? 443 : 80)
        return (String(text.reversed().drop { $0 == "/" }.reversed()), host, port)
    }

    /// What a refusal comes to: what waiting may mend is unavailable.
    private static func refusal(_ answer: OutboundAnswer) -> CommandFailure {
        let read = try? JSONNode(reading: answer.body)
        let reason = read?["message"]?.text ?? String(decoding: answer.body.prefix(200), as: UTF8.self)
        let words = "the server answered \(answer.status): \(TerminalEscaping.of(reason))"
        switch answer.status {
        case 401, 403:
            return CommandFailure(
                .permission, code: "refused",
                words + ". Give the bearer token of whoever may do this with KMS_CLI_AUTH_TOKEN; keystores that "
                    + "answer to signed capabilities only are used by clients that sign")
        case 429, 502, 503, 504: return CommandFailure(.unavailable, code: "unavailable", words)
        default: return CommandFailure(.failed, code: "refused", words)
        }
    }

    /// Without authorities of its own the system's count in any case.
    private func trustsSystem() throws -> Bool {
        guard let text = systemAuthorities ?? Self.variable("KMS_CLI_TLS_SYSTEMCERTPOOL") else { return false }
        guard let value = ConfigurationKey.truth(text) else {
            throw CommandFailure(.usage, code: "usage", "--tls-systemcertpool: expected true or false")
        }
        return value
    }

    // exact: names of settings and members, this program's own.
    private static func encoded(_ body: [String: String]) -> [UInt8] {
        // Texts always encode.
        (try? JSONEncoder().encode(body)).map { [UInt8]($0) } ?? []
    }
}

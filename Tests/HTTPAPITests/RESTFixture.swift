import EnclaveLock
import Foundation
import Hummingbird
import HummingbirdTesting
import Keystores
import Logging
import TestSupport

@testable import HTTPAPI
@testable import KMSConfiguration

/// The whole front over a real domain: SQLite in a folder of the test, lock keys sealed by a key file.
struct RESTFixture: Sendable {
    let folder: TemporaryFolder
    let service: KeystoreService
    let store: SQLiteKeystoreStore
    private let application: Hummingbird.Application<RESTResponder>

    init(
        baseURL: String = "", maximumBody: Int = 64 * 1024, capabilities: CapabilityMode = .off,
        administration: ManagementGuard? = nil, split: SplitServices? = nil,
        tokenProblem: @escaping @Sendable () -> TokenProblem? = { nil }
    ) throws {
        folder = try TemporaryFolder()
        let keyFile = folder.path + "/lock.key"
        let key = Data((0..<32).map { _ in UInt8.random(in: .min ... .max) }).base64EncodedString()
            .replacing("+", with: "-").replacing("/", with: "_")
        try Data(key.utf8).write(to: URL(fileURLWithPath: keyFile))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: keyFile)
        store = try SQLiteKeystoreStore(path: folder.path + "/kmsd.sqlite")
        service = KeystoreService(
            store: store, lock: try LocalFileLock(path: keyFile), resident: nil, configuration: KeystoreConfiguration())
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        application = Hummingbird.Application(
            responder: RESTResponder(
                service: service, baseURL: baseURL, maximumBody: maximumBody, logger: logger,
                capabilities: capabilities, administration: administration, split: split, tokenProblem: tokenProblem),
            logger: logger)
    }

    func run(_ body: @escaping @Sendable (Client) async throws -> Void) async throws {
        try await application.test(.router) { client in try await body(Client(client: client)) }
        try store.close()
    }

    /// An answer with its body as text.
    struct Reply: Sendable {
        var status: Int
        var text: String
        var headers: HTTPFields

        /// The body as an object; empty if it is none.
        var members: [String: String] {
            let object = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
            return (object ?? [:]).compactMapValues { $0 as? String }
        }

        /// Whether it is an error as both generations of clients read it.
        var isError: Bool {
            guard let message = members["message"], !message.isEmpty else { return false }
            return members["errMessage"] == message && headers[.contentType] == "application/json"
                && text.hasSuffix("}\n")
        }
    }

    struct Client: Sendable {
        let client: any TestClientProtocol

        func send(
            _ method: HTTPRequest.Method, _ path: String, _ body: String? = nil, headers: HTTPFields = [:]
        ) async throws -> Reply {
            try await client.execute(
                uri: path, method: method, headers: headers, body: body.map { ByteBuffer(string: $0) }
            ) { Reply(status: $0.status.code, text: String(buffer: $0.body), headers: $0.headers) }
        }

        func keystore() async throws -> String {
            let reply = try await send(.post, "/v1/keystores", #"{"controller":"did:example:test","edv":null}"#)
            return reply.members["key_store_url"] ?? "no keystore: \(reply.text)"
        }

        func key(_ type: String, in keystore: String) async throws -> String {
            let reply = try await send(.post, keystore + "/keys", "{\"key_type\":\"\(type)\"}")
            return reply.members["key_url"] ?? "no key: \(reply.text)"
        }
    }
}

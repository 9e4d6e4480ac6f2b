import Capabilities
import Encodings
import LibCrypto
import OutboundHTTP
import SecretMemory
import Synchronization
import WorkingKeys

@testable import EDV

/// A vault's server in memory: keeps documents, checks every call's signature, and can be made to fail.
final class MemoryVault: OutboundSending {
    private struct State {
        var documents: [String: [UInt8]] = [:]
        var calls: [String] = []
        var override: (@Sendable (OutboundRequest) async throws(OutboundError) -> OutboundAnswer?)?
    }

    let key: WorkingKey
    let invoker: String
    private let state = Mutex(State())

    init() throws {
        key = try WorkingKey(versions: [try KeyMaterial.generate(.ed25519)], primary: 0)
        invoker = key.primary.rawPublicKey.flatMap { DIDKey(publicKey: $0) }?.description ?? ""
    }

    /// Method and path of each call.
    var calls: [String] { state.withLock { $0.calls } }
    var documents: [String: [UInt8]] {
        get { state.withLock { $0.documents } }
        set { state.withLock { $0.documents = newValue } }
    }
    /// Asked first; nil goes on.
    func override(_ body: (@Sendable (OutboundRequest) async throws(OutboundError) -> OutboundAnswer?)?) {
        state.withLock { $0.override = body }
    }

    func send(_ request: OutboundRequest) async throws(OutboundError) -> OutboundAnswer {
        let path = VaultAddress.path(of: request.url)
        let prefix = "/encrypted-data-vaults/V/documents"
        state.withLock { $0.calls.append("\(request.method) \(path)") }
        if let override = state.withLock({ $0.override }), let answer = try await override(request) { return answer }
        guard authorises(request, path) else { return OutboundAnswer(status: 401) }
        let id = String(path.dropFirst(prefix.count + 1))
        return state.withLock { state in
            switch (request.method, id.isEmpty) {
            case ("GET", false):
                return state.documents[id].map { OutboundAnswer(status: 200, body: $0) } ?? OutboundAnswer(status: 404)
            case ("POST", true):
                guard let document = try? VaultDocument(decoding: request.body) else {
                    return OutboundAnswer(status: 400)
                }
                guard state.documents.updateValue(request.body, forKey: document.id) == nil else {
                    return OutboundAnswer(status: 409)
                }
                return OutboundAnswer(status: 201)
            case ("POST", false):
                guard state.documents.updateValue(request.body, forKey: id) != nil else {
                    return OutboundAnswer(status: 404)
                }
                return OutboundAnswer(status: 204)
            case ("DELETE", false):
                return OutboundAnswer(status: state.documents.removeValue(forKey: id) == nil ? 404 : 200)
            default: return OutboundAnswer(status: 405)
            }
        }
    }

    /// By the server's half of the same library; the acceptance tests verify with code of their own.
    private func authorises(_ request: OutboundRequest, _ path: String) -> Bool {
        var headers: [String: [String]] = [:]
        for header in request.headers { headers[header.name.lowercased(), default: []].append(header.value) }
        guard let value = headers["capability-invocation"]?.first, let invocation = try? Invocation(header: value),
            let text = headers["signature"]?.first, let signature = try? HTTPSignature(header: text)
        else { return false }
        // The tests' capability has no proof, so its chain is not checked; its signer and its action are.
        return invocation.action == (request.method == "GET" ? "read" : "write")
            && Set(["(request-target)", "capability-invocation"]).isSubset(of: signature.covered)
            && (request.body.isEmpty || signature.covered.contains("digest")) && signature.keyID == invoker
            && isSigned(HTTPSignature.Request(method: request.method, uri: path, headers: headers), signature)
    }

    private func isSigned(_ request: HTTPSignature.Request, _ signature: HTTPSignature) -> Bool {
        guard let text = try? signature.signingString(for: request) else { return false }
        return (try? key.verify(signature: signature.signature, message: Array(text.utf8))) != nil
    }
}

import Audit
import Encodings
import HTTPTypes
import Hummingbird
import Keystores
import LightClient
import NIOCore

/// The routes for load balancers and supervisors. They reveal no key, keystore or token name.
struct HealthController: Sendable {
    let service: any KeystoreManaging
    let tokenProblem: @Sendable () -> TokenProblem?
    /// Why decisions cannot be recorded now, and are refused; nil if they can.
    let auditProblem: @Sendable () -> AuditError?
    /// Why a record could not be written now; asked within a second.
    let auditWriteProblem: @Sendable () async -> AuditError?
    /// The same of the stores of the split keys.
    let splitProblems: @Sendable () async -> [ReadinessProblem]
    let didFindReady: @Sendable () -> Void
    /// Why the decryption API serves nothing. It is told, and does not make the rest unready: no key of a keystore hangs on what
    /// a witness of a chain says. gRPC's health service answers for that API.
    var chainConflict: @Sendable () async -> ChainConflict? = { nil }

    private static let document = ByteBuffer(bytes: PackageResources.openapi_yaml)

    /// The process serves; nothing about the token.
    ///
    /// - Parameter isLegacy: Whether the first generation's name of the time is there too.
    func healthcheck(isLegacy: Bool) -> Response {
        let now = Timestamp.now().rfc3339(digits: 9)
        return Responses.object { writer in
            writer.member("status", "success")
            writer.member("current_time", now)
            if isLegacy { writer.member("currentTime", now) }
        }
    }

    func livez() -> Response { Responses.object { $0.member("status", "alive") } }

    func readyz() async -> Response {
        let token = tokenProblem()
        // At once, so that all of it takes no longer than the slowest.
        async let conflict = chainConflict()
        async let splitProblems = splitProblems()
        async let written = auditWriteProblem()
        var problems = await service.readiness
        problems += await splitProblems
        let unwritten = await written
        // A lock that needs the token fails with it; one reason is enough.
        if token != nil { problems.removeAll { $0.component == .lock } }
        let audit = token == nil ? auditProblem() ?? unwritten : unwritten
        let isReady = token == nil && audit == nil && problems.isEmpty
        if isReady { didFindReady() }
        let forked = await conflict.map { [("chain", $0.error.code.rawValue, Self.words($0))] } ?? []
        let body = JSONWriter.object { writer in
            writer.member("status", isReady ? "ready" : "not ready")
            let token = token.map { [("token", $0.code, $0.message)] } ?? []
            let chain =
                audit.map { [($0.code == .alteredDatabase ? "store" : "audit", $0.code.rawValue, $0.message)] } ?? []
            let others = chain + problems.map { ($0.component.rawValue, "unavailable", $0.message) }
            writer.member("problems", array: token + others + forked) { writer, problem in
                writer.member("component", problem.0)
                writer.member("code", problem.1)
                writer.member("message", problem.2)
            }
        }
        var response = Responses.json(body, status: isReady ? .ok : .serviceUnavailable)
        if !isReady { response.headers[.retryAfter] = "1" }
        return response
    }

    /// Names no node: whoever reaches the port reads it.
    private static func words(_ conflict: ChainConflict) -> String {
        "A witness has header \(Hexadecimal.encode(conflict.other)) at height \(conflict.height), the followed node "
            + "\(Hexadecimal.encode(conflict.followed)): nothing is decrypted until an operator decides, "
            + "see kmsd decryption chain resolve."
    }

    func openapi() -> Response {
        var headers = HTTPFields()
        headers[.contentType] = "application/yaml"
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: Self.document))
    }
}

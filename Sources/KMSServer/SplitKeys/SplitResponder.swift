import BearerTokens
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import SplitKeys

/// The split-key front: 0Chain's ZVault under `/zvault` and ZAuth under `/zauth`.
///
/// - Concurrency: any number of requests at once.
struct SplitResponder: Sendable {
    let services: SplitServices
    let logger: Logger
    /// In bytes.
    let maximumBody: Int

    /// Answers; never throws, so that every failure has the API's form.
    func answer(
        _ request: Request, path: Substring, query: Substring?, id: RequestID, _ connection: ClientConnection
    ) async -> Response {
        guard let target = SplitTarget(path: path) else {
            return Answer.notFound()
        }
        guard request.method.rawValue == target.method else { return Answer.methodNotAllowed(target.method) }
        do {
            let call = SplitCall(request: request, query: query, requestID: id.description, maximumBody: maximumBody)
            switch target {
            case .vault(let route):
                guard let vault = services.vault else { return Answer.notFound() }
                let caller = try await caller(request, id)
                return try await VaultController(service: vault).answer(route, call, caller)
            case .authority(let route):
                guard let authority = services.authority else { return Answer.notFound() }
                let controller = AuthorityController(
                    service: authority, receipts: services.receipts,
                    returnsTransactions: services.returnsTransactions)
                switch route {
                case .signMessage, .signTransaction:
                    // The original's clients send no token here; one that is sent must be right.
                    let user = request.headers[.jwtToken] == nil ? nil : try await caller(request, id).user
                    return try await controller.sign(
                        route, call, user: user, address: connection.subscriber)
                default: return try await controller.answer(route, call, try await caller(request, id))
                }
            }
        } catch {
            let refusal = SplitRefusal(error, unknownStatus: target.unknownStatus)
            let level: Logger.Level = refusal.status >= 500 && refusal.status != 503 ? .error : .debug
            logger.log(
                level: level, "split-key request refused",
                metadata: [
                    "id": "\(id)", "route": "\(target.template)", "status": "\(refusal.status)",
                    "error": "\(refusal.detail ?? refusal.message)",
                ])
            return refusal.response
        }
    }

    private func caller(_ request: Request, _ id: RequestID) async throws -> SplitCaller {
        let tokens = request.headers[values: .jwtToken]
        guard tokens.count == 1, let token = tokens.first, !token.isEmpty else {
            throw SplitRefusal(
                status: 401,
                message: tokens.count > 1 ? "X-Jwt-Token is given twice" : "X-Jwt-Token is missing: send a JWT")
        }
        let identity: BearerIdentity
        do {
            identity = try await services.tokens.verify(token)
        } catch {
            let status = error.code == .keysUnavailable ? 503 : 401
            throw SplitRefusal(status: status, message: "X-Jwt-Token: \(error.message)")
        }
        return try SplitCaller(
            user: identity.user, isService: identity.isService, token: token, requestID: id.description)
    }
}

extension SplitTarget {
    /// The status for a key or wallet that is not there.
    var unknownStatus: Int {
        switch self {
        case .authority(.signMessage), .authority(.signTransaction), .authority(.key): 500
        default: 400
        }
    }
}

extension HTTPField.Name {
    static let jwtToken = Self("X-Jwt-Token")!
    static let peerPublicKey = Self("X-Peer-Public-Key")!
    static let receiptRequest = Self("X-Receipt-Request")!
    static let receipt = Self("X-Receipt")!
}

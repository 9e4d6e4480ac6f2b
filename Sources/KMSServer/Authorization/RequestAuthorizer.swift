import Hummingbird
import NIOCore

/// Decides which requests are served: one place for every scheme.
///
/// - Concurrency: any number of requests at once.
struct RequestAuthorizer: Sendable {
    /// Nil: keystores are not guarded by capabilities.
    let capabilities: CapabilityAuthorizer?
    /// Nil: making keystores is open; own routes are too, unless the keystores are guarded.
    let administration: ManagementGuard?
    /// In bytes.
    let maximumBody: Int

    /// The request, if it may act; its body is collected where a signature may cover it.
    ///
    /// - Throws: ``AuthorizationRefusal``, ``RequestError``, or ``KMSError`` if a keystore cannot be looked up now.
    func authorize(_ request: Request, _ target: Target, _ connection: ClientConnection) async throws -> Request {
        switch target.authority(request.method) {
        case .none: return request
        case .createKeystore:
            try await administration?.authorize(request, .createKeystore, connection)
            return request
        case .manage:
            if let administration {
                try await administration.authorize(request, .manage, connection)
            } else if capabilities != nil {
                throw AuthorizationRefusal.forbidden(
                    "no capability allows this route, and no admin-guard is configured")
            }
            return request
        case .keystore(let action, let keystore):
            guard let capabilities else { return request }
            var request = request
            let body = try await request.readBody(upTo: maximumBody)
            try await capabilities.authorize(request, body: body, action: action, keystore: keystore)
            request.body = RequestBody(buffer: body)
            return request
        }
    }
}

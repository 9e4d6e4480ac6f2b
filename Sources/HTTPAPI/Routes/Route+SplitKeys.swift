import HTTPTypes
import Hummingbird
import SplitKeys

/// The rows of the split-key API: 0Chain's ZVault under `/zvault` and ZAuth under `/zauth`. Their decisions are recorded by the
/// domain.
///
/// Source: split-key API, routes of both roles.
extension Route {
    private typealias Handling<Controller> =
        @Sendable (_ api: Controller, _ call: RouteCall, _ caller: SplitCaller) async throws -> Response

    private static func vault(
        _ method: HTTPRequest.Method, _ path: StaticString, _ operation: StaticString, body: BodyLimit = .full,
        _ handle: @escaping Handling<VaultController>
    ) -> Route {
        Route(method, path, operation, .user, dialect: .vault, body: body, takesShare: false) { call, api in
            guard let vault = api.vault, let user = call.user else { return Responses.notFound() }
            return try await handle(vault, call, user)
        }
    }

    private static func authority(
        _ method: HTTPRequest.Method, _ path: StaticString, _ operation: StaticString, body: BodyLimit = .full,
        absentStatus: Int = 400, _ handle: @escaping Handling<AuthorityController>
    ) -> Route {
        Route(
            method, path, operation, .user, dialect: .authority, body: body, takesShare: false,
            absentStatus: absentStatus
        ) { call, api in
            guard let authority = api.authority, let user = call.user else { return Responses.notFound() }
            return try await handle(authority, call, user)
        }
    }

    /// 0Chain's clients send no token here; one that is sent must be right.
    private static func signing(
        _ method: HTTPRequest.Method, _ path: StaticString, _ operation: StaticString,
        _ handle: @escaping @Sendable (_ api: AuthorityController, _ call: RouteCall) async throws -> Response
    ) -> Route {
        Route(
            method, path, operation, .userIfShown, dialect: .authority, takesShare: false, absentStatus: 500
        ) { call, api in
            guard let authority = api.authority else { return Responses.notFound() }
            return try await handle(authority, call)
        }
    }

    static let zvault: [Route] = [
        .vault(.post, "/zvault/wallet", "create wallet") { try await $0.createWallet($1, $2) },
        .vault(.post, "/zvault/store", "store wallet", body: .small) { try await $0.store($1, $2) },
        .vault(.get, "/zvault/wallets", "list wallets") { try await $0.wallets($1, $2) },
        .vault(.get, "/zvault/wallets/shared", "list shared keys") { try await $0.sharedWallets($1, $2) },
        .vault(.post, "/zvault/key/{client_id}", "create split key") { try await $0.createKey($1, $2) },
        .vault(.get, "/zvault/keys/{client_id}", "list split keys") { try await $0.keys($1, $2) },
        .vault(.post, "/zvault/share", "share split key") { try await $0.share($1, $2) },
        .vault(.get, "/zvault/restrictions", "get restrictions") { try await $0.restrictions($1, $2) },
        .vault(.put, "/zvault/restrictions/{client_id}", "set restrictions") { try await $0.setRestrictions($1, $2) },
        .vault(.post, "/zvault/revoke/{client_id}", "revoke split key", body: .small) { try await $0.revoke($1, $2) },
        .vault(.post, "/zvault/delete/{client_id}", "delete wallet") { try await $0.delete($1, $2) },
        .vault(.post, "/zvault/generate", "generate wallet") { try await $0.generate($1, $2) },
        .vault(.post, "/zvault/generate/{client_id}", "generate split key") { try await $0.generateKey($1, $2) },
    ]

    static let zauth: [Route] = [
        .authority(.post, "/zauth/setup", "set up split key", body: .small) { try await $0.setUp($1, $2) },
        .authority(.post, "/zauth/anchor", "take anchor", body: .small) { try await $0.takeAnchor($1, $2) },
        .authority(.get, "/zauth/key/{client_id}", "get split key", absentStatus: 500) { try await $0.key($1, $2) },
        .authority(.put, "/zauth/restrictions/{client_id}", "set restrictions") {
            try await $0.setRestrictions($1, $2)
        },
        .authority(.post, "/zauth/revoke/{client_id}", "revoke split key", body: .small) {
            try await $0.revoke($1, $2)
        },
        .authority(.post, "/zauth/delete/{client_id}", "delete wallet") { try await $0.delete($1, $2) },
        .signing(.post, "/zauth/sign/msg", "sign message") { try await $0.signMessage($1) },
        .signing(.post, "/zauth/sign/txn", "sign transaction") { try await $0.signTransaction($1) },
    ]
}

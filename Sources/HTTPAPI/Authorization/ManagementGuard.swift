public import BearerTokens
import Encodings
import HTTPTypes
import Hummingbird

/// Decides who may make keystores, and who may use the routes this server adds to TrustBloc's.
///
/// Own routes look into and end keys of every keystore, so a user's token is not enough for them: it must be a
/// service's. A client certificate of a configured authority is the operator's and may do both.
///
/// - Concurrency: any number of requests at once.
public struct ManagementGuard: Sendable {
    /// What a request wants.
    enum Privilege: Equatable {
        case createKeystore
        case manage
    }

    private enum Kind: Sendable {
        case tokens(any BearerTokenVerifying)
        case certificates
    }

    private let kind: Kind

    /// Takes bearer tokens, in `Authorization: Bearer` or `X-Jwt-Token`.
    public static func tokens(_ verifier: any BearerTokenVerifying) -> ManagementGuard {
        ManagementGuard(kind: .tokens(verifier))
    }

    /// Takes client certificates that the TLS handshake has verified.
    public static let certificates = ManagementGuard(kind: .certificates)

    /// - Returns: Who asks: the token's user, or that it was a certificate.
    /// - Throws: ``AuthorizationRefusal``.
    func authorize(
        _ request: Request, _ privilege: Privilege, _ connection: ClientConnection
    ) async throws -> String {
        switch kind {
        case .certificates:
            guard try await connection.hasCertificate() else {
                throw AuthorizationRefusal.explained(401, "this route needs a client certificate")
            }
            return "certificate"
        case .tokens(let verifier):
            let identity = try await identity(request, verifier)
            guard privilege == .createKeystore || identity.isService else {
                throw AuthorizationRefusal.explained(403, "this route needs a token with the scope kms:service")
            }
            return "user:\(identity.user)"
        }
    }

    private func identity(
        _ request: Request, _ verifier: any BearerTokenVerifying
    ) async throws -> BearerIdentity {
        guard let token = try Self.token(request.headers) else {
            throw AuthorizationRefusal.explained(
                401, "this route needs a bearer token in Authorization or X-Jwt-Token", challenge: "Bearer")
        }
        do throws(BearerTokenError) {
            return try await verifier.verify(token)
        } catch {
            guard error.code != .keysUnavailable else { throw AuthorizationRefusal.explained(503, error.message) }
            throw AuthorizationRefusal.explained(
                401, error.message, challenge: #"Bearer error="invalid_token""#)
        }
    }

    /// The one token of a request; nil if it has none.
    private static func token(_ headers: HTTPFields) throws -> String? {
        var tokens = headers[values: .jwtToken]
        for value in headers[values: .authorization] where value.asciiLowercased().startsExactly(with: "bearer ") {
            tokens.append(String(Substring(value.utf8.dropFirst("bearer ".utf8.count))))
        }
        guard tokens.count <= 1 else {
            throw AuthorizationRefusal.explained(400, "the request carries more than one token")
        }
        return tokens.first
    }
}

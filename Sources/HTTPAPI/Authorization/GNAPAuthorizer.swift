import Capabilities
import Encodings
import Foundation
import GNAP
import HTTPTypes
import Hummingbird
import Keystores
import NIOCore
import Synchronization

/// Guards keystores by GNAP tokens: who makes a keystore owns it, and nobody else's token uses it.
///
/// A keystore made without GNAP belongs to the subject that equals its controller. An unknown keystore and one of
/// somebody else answer alike.
///
/// - Concurrency: any number of requests at once. Owners never change, so they are remembered.
final class GNAPAuthorizer: Sendable {
    /// Owners remembered at most.
    private static let remembered = 10_000

    private let verifier: GNAPVerifier
    private let service: any KeystoreManaging
    private let baseURL: String
    private let address: PublicAddress
    private let ledger: (any SignatureLedger)?
    private let owners = Mutex<[ExactText: ExactText]>([:])

    /// - Parameters:
    ///   - baseURL: What clients put before the path when they sign it.
    ///   - ledger: Remembers signatures that are dated ahead over a restart.
    init(
        verifier: GNAPVerifier, service: any KeystoreManaging, baseURL: String, ledger: (any SignatureLedger)?
    ) {
        self.ledger = ledger
        self.verifier = verifier
        self.service = service
        self.baseURL = baseURL
        address = PublicAddress(baseURL: baseURL)
    }

    /// Who the request is from.
    ///
    /// - Parameter body: All of it; its digest is compared with it.
    /// - Throws: ``AuthorizationRefusal``, or ``KMSError`` if what was used cannot be remembered now.
    func caller(_ request: Request, body: ByteBuffer) async throws -> String {
        // exact: names of fields are tokens, ASCII throughout.
        var fields: [String: [String]] = [:]
        for field in request.headers { fields[field.name.canonicalName, default: []].append(field.value) }
        // A proxy may have written another one; the signed target names the public one.
        fields["host"] = [address.authority]
        let path = request.head.path ?? ""
        var message = MessageRequest(
            method: request.method.rawValue, targetURI: baseURL + path, fields: fields, body: Array(buffer: body))
        if !address.url.isExactly(baseURL) { message.otherSpellings = [address.url + path] }
        let now = Int64(Date().timeIntervalSince1970)
        let verified: GNAPVerifier.Verified
        do throws(GNAPError) {
            verified = try await verifier.verify(message, now: now)
        } catch {
            throw Self.refusal(for: error)
        }
        if let spent = verified.spent { try await ledger?.keep(spent, owner: verified.caller, now: now) }
        return verified.caller
    }

    static func refusal(for error: GNAPError) -> AuthorizationRefusal {
        switch error.code {
        case .signatureRefused: .gnap(401, "verify gnap request", error.message)
        case .introspectionFailed: .gnap(502, "introspect token", error.message)
        case .exhausted: .explained(503, error.message)
        default: .unauthorized(error.message)
        }
    }

    /// Checks that the request is from the keystore's owner.
    ///
    /// - Returns: The caller.
    /// - Throws: ``AuthorizationRefusal``, or ``KMSError`` if the keystore cannot be looked up now.
    func authorize(
        _ request: Request, body: ByteBuffer, keystore: String, as presenter: Caller
    ) async throws -> String {
        let caller = try await caller(request, body: body)
        if let owner = owners.withLock({ $0[ExactText(keystore)] }) {
            try Self.check(caller, owner)
            return caller
        }
        let claims: UnverifiedKeystoreRow
        do {
            claims = try await service.unverifiedRow(keystore)
        } catch let error as KMSError where error.code == .notFound || error.code == .invalidArgument {
            throw AuthorizationRefusal.unauthorized("there is no such keystore")
        }
        // Before the keystore is opened, so that how that fails tells nobody else anything.
        try Self.check(caller, Self.owner(claims.capability, claims.controller))
        let owner = Self.owner(
            try await service.rootCapability(keystore, caller: presenter),
            try await service.keystore(keystore, caller: presenter).controller)
        try Self.check(caller, owner)
        owners.withLock { owners in
            if owners.count >= Self.remembered { owners.removeAll() }
            owners[ExactText(keystore)] = owner
        }
        return caller
    }

    private static func check(_ caller: String, _ owner: ExactText) throws {
        guard owner == caller else {
            throw AuthorizationRefusal.unauthorized("the token is not of the keystore's owner")
        }
    }

    private static func owner(_ document: [UInt8]?, _ controller: String) -> ExactText {
        ExactText(document.flatMap { GNAPOwner.owner($0) } ?? "sub:" + controller)
    }
}

extension AuthorizationRefusal {
    /// The text in front is TrustBloc's.
    fileprivate static func gnap(_ status: Int, _ prefix: String, _ reason: String) -> AuthorizationRefusal {
        AuthorizationRefusal(status: status, text: .word("\(prefix): \(reason)"), reason: reason)
    }
}

import Capabilities
import Encodings
import Foundation
import HTTPTypes
import Hummingbird
import Keystores
import NIOCore
import Synchronization

/// Guards keystores by capabilities (ZCAP-LD), and issues the root capability of a new one.
///
/// An unknown keystore and a wrong capability answer alike, so that nobody learns which keystores exist.
///
/// - Concurrency: any number of requests at once. Roots never change, so they are remembered.
final class CapabilityAuthorizer: Sendable {
    /// Roots remembered at most.
    private static let remembered = 10_000

    private let service: any KeystoreManaging
    private let baseURL: String
    private let address: PublicAddress
    private let mode: CapabilityVerifier.Mode
    private let verifier: CapabilityVerifier
    /// Every action of a keystore, in the order TrustBloc's server lists them.
    private let actions: [String]
    private let ledger: (any SignatureLedger)?
    private let roots = Mutex<[ExactText: Capability]>([:])

    /// - Parameters:
    ///   - baseURL: Absolute; it is part of every capability.
    ///   - used: In strict mode, which signatures were used, before this start and from now on.
    ///   - actions: What a root capability allows.
    init(
        service: any KeystoreManaging, baseURL: String, mode: CapabilityVerifier.Mode, used: UsedSignatures,
        actions: [String]
    ) {
        self.actions = actions
        self.service = service
        self.baseURL = baseURL
        address = PublicAddress(baseURL: baseURL)
        self.mode = mode
        ledger = used.ledger
        verifier = CapabilityVerifier(mode: mode, earlier: used.earlier)
    }

    /// Checks that the request's capability allows `action` on the keystore.
    ///
    /// - Parameter body: All of it; a covered digest is compared with it.
    /// - Returns: The key that invoked the capability.
    /// - Throws: ``AuthorizationRefusal``, or ``KMSError`` if the keystore cannot be looked up now.
    func authorize(
        _ request: Request, body: ByteBuffer, action: String, keystore: String, _ caller: Caller,
        _ connection: ClientConnection
    ) async throws -> String {
        let known = roots.withLock { $0[ExactText(keystore)] }
        let claimed = known == nil ? try await claimedRoot(of: keystore) : nil
        guard let root = try known ?? claimed.map({ try Self.parsed($0) }) else {
            throw AuthorizationRefusal.unauthorized("there is no such keystore")
        }
        let now = Int64(Date().timeIntervalSince1970)
        let verified: CapabilityVerifier.Verified
        do {
            verified = try verify(request, Array(buffer: body), action, root, connection, now: now)
        } catch {
            switch error.code {
            case .malformed: throw AuthorizationRefusal.malformed(error.message)
            case .unauthorized: throw AuthorizationRefusal.unauthorized(error.message)
            case .exhausted: throw AuthorizationRefusal.explained(503, error.message)
            }
        }
        if let spent = verified.spent { try await ledger?.keep(spent, owner: verified.owner, now: now) }
        if let claimed { try await confirm(claimed, root, of: keystore, caller) }
        return verified.key.did
    }

    /// Verifies the request as signed for the public address, or for the one it was sent to.
    ///
    /// - Throws: The reason against the likeliest.
    private func verify(
        _ request: Request, _ body: [UInt8], _ action: String, _ root: Capability, _ connection: ClientConnection,
        now: Int64
    ) throws(CapabilityError) -> CapabilityVerifier.Verified {
        let fields = request.headers.map { ($0.name.canonicalName, $0.value) }
        // The codec below turned Host into the request's authority.
        let (host, uri) = (request.head.authority, request.head.path ?? "")
        let targets =
            mode == .strict
            ? address.targets(host: host, uri: uri, own: connection.ownAddresses)
            : address.lenientTargets(host: host, uri: uri)
        func attempt(_ target: PublicAddress.Target) throws(CapabilityError) -> CapabilityVerifier.Verified {
            var headers = SignedHeaders(fields)
            headers["host"] = [target.host]
            return try verifier.verify(
                HTTPSignature.Request(method: request.method.rawValue, uri: target.uri, headers: headers),
                body: body, action: action, root: root, now: now)
        }
        do throws(CapabilityError) {
            return try attempt(targets[0])
        } catch {
            for target in targets.dropFirst() {
                if let verified = try? attempt(target) { return verified }
            }
            throw error
        }
    }

    /// The root's document as the keystore's row says it. Who does not fit it is refused before the keystore is opened:
    /// a stranger learns nothing from how that fails, and makes neither the token nor the Auth server work.
    private func claimedRoot(of keystore: String) async throws -> [UInt8] {
        let document: [UInt8]?
        do {
            document = try await service.unverifiedRow(keystore).capability
        } catch let error as KMSError where error.code == .notFound || error.code == .invalidArgument {
            throw AuthorizationRefusal.unauthorized("there is no such keystore")
        }
        guard let document else {
            throw AuthorizationRefusal.unauthorized("the keystore was made without a capability")
        }
        guard GNAPOwner.owner(document) == nil else {
            throw AuthorizationRefusal.unauthorized("the keystore was made under GNAP")
        }
        return document
    }

    /// Opens the keystore, which proves its row, and remembers the root.
    private func confirm(_ claimed: [UInt8], _ root: Capability, of keystore: String, _ caller: Caller) async throws {
        guard try await service.rootCapability(keystore, caller: caller) == claimed else {
            throw AuthorizationRefusal.unauthorized("the keystore's root is another than its row said")
        }
        roots.withLock { roots in
            if roots.count >= Self.remembered { roots.removeAll() }
            roots[ExactText(keystore)] = root
        }
    }

    private static func parsed(_ document: [UInt8]) throws -> Capability {
        do {
            return try Capability(json: document)
        } catch {
            throw KMSError(.internal, "The keystore's root capability is damaged.", underlying: error)
        }
    }

    // MARK: Issuing

    /// Makes the root capability of a keystore: its document.
    ///
    /// The signing key is fresh and forgotten at once: the stored document is what requests are compared with, so no
    /// key exists whose theft would let anybody forge a root.
    ///
    /// - Parameter hasVault: Whether it also allows storing the capability of the keystore's vault, as the first
    ///   generation's clients do.
    /// - Throws: ``KMSError`` with `.invalidArgument` for a controller that is no absolute IRI.
    func makeRoot(keystore: String, controller: String, hasVault: Bool = false) throws -> [UInt8] {
        let url = "\(baseURL)/v1/keystores/\(keystore)"
        let root = Capability(
            id: url, invoker: controller, allowedAction: actions + (hasVault ? ["updateEDVCapability"] : []),
            invocationTarget: Capability.Target(id: url, type: "urn:kms:keystore"))
        do {
            return try RootIssuer.sign(root, created: Timestamp(Date()).rfc3339(digits: 9)).json()
        } catch let error as CapabilityError {
            throw KMSError(
                .invalidArgument,
                "validation failed: controller must be an absolute IRI, such as a did:key URL with fragment",
                underlying: error)
        }
    }

    /// The form in which a capability is handed out: base64 of gzip.
    static func packed(_ document: [UInt8]) throws -> [UInt8] { try Gzip.compress(document) }
}

import Capabilities
import Encodings
import Foundation
import LibCrypto
public import OutboundHTTP
public import WorkingKeys

/// Keeps records in one vault: encrypted for the keystore's recipient key, under names made by its MAC key, by calls
/// signed with the capability's invoker.
///
/// - Concurrency: any number of calls at once. Each operation, with all its requests, ends within the time-out.
public struct VaultClient: Sendable {
    /// Longest answer that is read, in bytes.
    public static let longestAnswer = 1 << 20

    private let address: VaultAddress
    private let capability: VaultCapability
    private let recipient: WorkingKey
    private let recipientID: String
    private let mac: WorkingKey
    private let sender: any OutboundSending
    private let timeout: Duration
    private let signingKey: @Sendable () async throws -> WorkingKey

    /// - Parameters:
    ///   - recipient: NISTP256ECDHKW.
    ///   - mac: HMACSHA256Tag256.
    ///   - sender: Decides which servers may be called.
    ///   - timeout: For one operation, whatever the number of its requests.
    ///   - signingKey: Gives the invoker's key; what it throws, the operation throws.
    /// - Throws: ``WorkingKeyError`` for a recipient that is no key agreement key.
    public init(
        address: VaultAddress, capability: VaultCapability, recipient: WorkingKey, mac: WorkingKey,
        sender: any OutboundSending, timeout: Duration, signingKey: @escaping @Sendable () async throws -> WorkingKey
    ) throws {
        self.address = address
        self.capability = capability
        self.recipient = recipient
        recipientID = try recipient.primary.thumbprint ?? ""
        self.mac = mac
        self.sender = sender
        self.timeout = timeout
        self.signingKey = signingKey
    }

    /// The record of a key; nil if the vault has none.
    ///
    /// - Throws: ``EDVError``, `.damaged` for a document that is not this key's; what the signing key's source throws.
    public func read(_ key: String) async throws -> [UInt8]? {
        let id = try DocumentIdentifier.make(for: key, mac: mac)
        let answer = try await call("GET", "\(address.documents)/\(id)", [], until: deadline)
        guard answer.status != 404 else { return nil }
        try expect(answer, [200])
        let document = try VaultDocument(decoding: answer.body)
        guard document.id.isExactly(id) else { throw EDVError.damaged("the answer is another document") }
        let content = try StructuredDocument(
            decoding: try document.content.decrypted(with: recipient, keyID: recipientID))
        guard content.key.isExactly(key) else { throw EDVError.damaged("it is the record of another key") }
        return content.value
    }

    /// Stores the record of a key, replacing one that is there: looks, creates if there is none, updates in any case, as
    /// TrustBloc's key server does.
    ///
    /// - Throws: ``EDVError``; then the vault has the old document, the new one, or none. What the signing key's source
    ///   throws.
    public func write(_ value: [UInt8], for key: String) async throws {
        let id = try DocumentIdentifier.make(for: key, mac: mac)
        let content = try EncryptedDocument(
            encrypting: StructuredDocument(key: key, value: value).encoded(), for: recipient, keyID: recipientID)
        let body = VaultDocument(id: id, content: content).encoded()
        let end = deadline
        let found = try await call("GET", "\(address.documents)/\(id)", [], until: end)
        if found.status == 404 {
            // 409: made by somebody else in between; it is updated like any other.
            try expect(try await call("POST", address.documents, body, until: end), [200, 201, 409])
        } else {
            try expect(found, [200])
        }
        try expect(try await call("POST", "\(address.documents)/\(id)", body, until: end), [200, 204])
    }

    /// Removes the record of a key; one that is not there is removed already.
    ///
    /// - Throws: ``EDVError``; what the signing key's source throws.
    public func remove(_ key: String) async throws {
        let id = try DocumentIdentifier.make(for: key, mac: mac)
        try expect(
            try await call("DELETE", "\(address.documents)/\(id)", [], until: deadline), [200, 204, 404])
    }

    /// Asks for a document that is not there, which proves that the vault can be called with this capability.
    ///
    /// - Throws: ``EDVError``; what the signing key's source throws.
    public func probe() async throws {
        let id = Base58.encode(try Random.bytes(16))
        try expect(try await call("GET", "\(address.documents)/\(id)", [], until: deadline), [404])
    }

    private var deadline: ContinuousClock.Instant { ContinuousClock.now + timeout }

    private func expect(_ answer: OutboundAnswer, _ statuses: Set<Int>) throws(EDVError) {
        if statuses.contains(answer.status) { return }
        guard answer.status != 401, answer.status != 403 else {
            throw EDVError(
                .unauthorized, "The vault's server does not accept the capability (status \(answer.status)).")
        }
        throw EDVError(
            .refused, "The vault's server failed or refused (status \(answer.status)).", isPassing: answer.isPassing)
    }

    // MARK: Calling

    /// Every call may be made twice: what is made is looked for first, and what is there already is updated.
    private func call(
        _ method: String, _ url: String, _ body: [UInt8], until deadline: ContinuousClock.Instant
    ) async throws -> OutboundAnswer {
        let key = try await signingKey()
        let answer: OutboundAnswer
        do {
            answer = try await OutboundRetry(sender, until: deadline, triesSilence: false)
                .send { try request(method, url, body, key) }
        } catch let error as OutboundError {
            throw Self.translated(error)
        }
        guard answer.body.count <= Self.longestAnswer else {
            throw EDVError(.unreachable, "The vault's server sent more than \(Self.longestAnswer) bytes.")
        }
        return answer
    }

    private func request(
        _ method: String, _ url: String, _ body: [UInt8], _ key: WorkingKey
    ) throws -> OutboundRequest {
        let invocation = capability.headers[method == "GET" ? .read : .write] ?? ""
        var request = OutboundRequest(
            method: method, url: url, headers: [("Capability-Invocation", invocation)], body: body)
        var covered = ["(request-target)", "capability-invocation"]
        var signed = ["capability-invocation": [invocation]]
        if !body.isEmpty {
            let digest = try HTTPSignature.digest(of: body)
            request.headers += [("Content-Type", "application/json"), ("Digest", digest)]
            covered.append("digest")
            signed["digest"] = [digest]
        }
        let signature = try HTTPSignature.header(
            key: capability.invoker, created: Int64(Date().timeIntervalSince1970), covered: covered,
            request: HTTPSignature.Request(method: method, uri: VaultAddress.path(of: url), headers: signed)
        ) { try key.sign($0) }
        request.headers.append(("Signature", signature))
        return request
    }

    private static func translated(_ error: OutboundError) -> EDVError {
        switch error.code {
        case .addressRefused:
            EDVError(.invalidArgument, "The vault's server may not be called: \(error.message)")
        case .noAddress:
            // One text for a name that means nothing and one that means something inside.
            EDVError(
                .invalidArgument,
                "The vault's server may not be called: its name has no address that this daemon may call "
                    + "(outbound-allow).")
        case .unreachable: EDVError(.unreachable, "The vault's server gave no answer in time.", isPassing: true)
        default: EDVError(.unreachable, "The vault's server gave no usable answer.")
        }
    }
}

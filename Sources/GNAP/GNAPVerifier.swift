public import Capabilities
import Encodings
public import OutboundHTTP

/// Decides whether a request's GNAP token and signature hold, and for whom it speaks.
///
/// - Source: draft-ietf-gnap-core-protocol, draft-ietf-gnap-resource-servers.
/// - Concurrency: any number of calls at once.
public struct GNAPVerifier: Sendable {
    /// A request whose token and signature hold.
    public struct Verified: Sendable {
        /// `sub:` and the token's subject, or `key:` and the thumbprint of the token's key where the authorization server
        /// names no subject.
        public let caller: String
        /// For a signature that is dated ahead: what must be written durably before the answer.
        public let spent: SpentSignature?
    }

    private let client: IntrospectionClient
    private let cache: IntrospectionCache
    /// Nil: tokens count without a signature.
    private let signatures: MessageSignatureVerifier?

    /// - Parameters:
    ///   - server: Base URL of the authorization server.
    ///   - checksSignatures: Whether requests must be signed with the token's key.
    ///   - cacheSeconds: How long an active token is not asked about again; 0 asks for every request.
    ///   - earlier: Signatures used before the start, which are refused.
    ///   - remembered: Signatures remembered per window of two minutes; what comes beyond them is refused.
    public init(
        server: String, key: ResourceServerKey, outbound: any OutboundSending, checksSignatures: Bool,
        cacheSeconds: Int64, earlier: EarlierSignatures = .none, remembered: Int = 1_000_000,
        elapsed: (@Sendable () -> Duration)? = nil
    ) {
        client = IntrospectionClient(server: server, key: key, outbound: outbound)
        cache = IntrospectionCache(seconds: cacheSeconds)
        signatures =
            checksSignatures
            ? MessageSignatureVerifier(earlier: earlier, limit: remembered, elapsed: elapsed) : nil
    }

    /// Who the request is from.
    ///
    /// - Parameter now: Seconds since 1970.
    public func verify(_ request: MessageRequest, now: Int64) async throws(GNAPError) -> Verified {
        let token = try Self.token(request)
        let introspection: Introspection
        if let known = cache.answer(for: token, now: now) {
            introspection = known
        } else {
            introspection = try await client.introspect(token, now: now)
            cache.remember(introspection, for: token, now: now)
        }
        var caller = "key:" + introspection.key.thumbprint
        if let subject = introspection.subject {
            if let problem = NamingText.problem(subject, limit: 1024) {
                throw GNAPError(.tokenRefused, "the token's subject \(problem)")
            }
            caller = "sub:" + subject
        }
        let spent = try signatures?.verify(request, with: introspection.key, of: caller, now: now)
        return Verified(caller: caller, spent: spent)
    }

    /// The token of `Authorization: GNAP …`: 1 to 4096 characters of RFC 6750's b64token.
    private static func token(_ request: MessageRequest) throws(GNAPError) -> String {
        guard let field = request.single("authorization"), field.asciiLowercased().startsExactly(with: "gnap ") else {
            throw GNAPError(.tokenRefused, "there is no 'Authorization: GNAP' with a token")
        }
        let token = Substring(field.utf8.dropFirst("gnap ".utf8.count))
        let isPlain = token.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"), UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="):
                true
            default: false
            }
        }
        guard (1...4096).contains(token.utf8.count), isPlain else {
            throw GNAPError(.tokenRefused, "the token has another form")
        }
        return String(token)
    }
}

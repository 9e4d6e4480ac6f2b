public import EnclaveLock
public import Encodings
import Glibc
import LibCrypto
public import OutboundHTTP
public import SecretMemory

/// A lock whose key never leaves AWS KMS. The record's identity goes along as encryption context, by its hash, so what
/// was sealed for one record does not open for another.
///
/// - Source: AWS KMS API reference, Encrypt and Decrypt (JSON 1.1).
public struct AWSKMSLock: SecretLock {
    /// Member of the encryption context.
    private static let contextName = "kmsd-record"
    /// Longest plaintext of Encrypt.
    private static let longestSecret = 4096
    /// Of a CiphertextBlob, in bytes.
    private static let sealedLengths = 1...6144
    /// For all tries of one call.
    private static let patience = Duration.seconds(20)
    /// Refusals that pass although their status is that of a mistake, as the service throttles.
    private static let throttling: Set<String> = [  // exact: AWS's own words, in ASCII.
        "ThrottlingException", "Throttling", "ThrottledException", "RequestThrottled", "RequestThrottledException",
        "TooManyRequestsException", "RequestLimitExceeded", "BandwidthLimitExceeded", "PriorRequestNotComplete",
        "LimitExceededException", "ProvisionedThroughputExceededException", "SlowDown", "DependencyTimeoutException",
        "KMSInternalException", "KeyUnavailableException", "InternalFailure",
        "ServiceUnavailable", "ServiceUnavailableException", "RequestTimeout", "RequestTimeoutException",
    ]
    private static let probed = RecordIdentity(tenant: "", keystore: "", key: "", type: "readiness-probe", version: 1)

    private let key: AWSKeyURI
    /// Without a slash at its end.
    private let endpoint: String
    private let credentials: AWSCredentials
    private let outbound: any OutboundSending
    private let now: @Sendable () -> Int64
    private let standing = LockStanding()

    /// - Parameter endpoint: Nil for the region's own.
    public init(key: AWSKeyURI, endpoint: String?, credentials: AWSCredentials, outbound: any OutboundSending) {
        self.init(
            key: key, endpoint: endpoint, credentials: credentials, outbound: outbound, now: { Int64(time(nil)) })
    }

    init(
        key: AWSKeyURI, endpoint: String?, credentials: AWSCredentials, outbound: any OutboundSending,
        now: @escaping @Sendable () -> Int64
    ) {
        self.key = key
        var endpoint = endpoint ?? "https://kms.\(key.region).\(key.domain)"
        while endpoint.endsExactly(with: "/") { endpoint.removeLast() }
        self.endpoint = endpoint
        self.credentials = credentials
        self.outbound = outbound
        self.now = now
    }

    public var kind: LockKind { .aws }
    public var identity: String { key.arn }

    public var refusal: EnclaveLockError? { standing.refusal }

    /// One call in ten seconds at most, whoever asks: sealing and opening in turn, unless keystores make calls anyway.
    public func probe() async throws(EnclaveLockError) {
        try await standing.probe { [self] in
            do throws(EnclaveLockError) {
                if let sample = standing.sample {
                    standing.sample = nil
                    _ = try await open(sample, identity: Self.probed)
                } else {
                    standing.sample = try await seal(Self.sample(), identity: Self.probed)
                }
                return .success(())
            } catch {
                return .failure(error)
            }
        }.get()
    }

    private static func sample() throws(EnclaveLockError) -> SharedSecret {
        do { return SharedSecret(try SecretBytes.random(count: 32)) } catch {
            throw EnclaveLockError(.internalFailure, "No locked memory for a probe of the lock: \(error)")
        }
    }

    public func seal(
        _ secret: SharedSecret, identity: RecordIdentity, caller _: CallerShare?
    ) async throws(EnclaveLockError) -> [UInt8] {
        guard secret.count <= Self.longestSecret else {
            throw EnclaveLockError(.invalidArgument, "AWS KMS seals at most \(Self.longestSecret) bytes.")
        }
        let member = #","Plaintext":"\#(secret.withUnsafeBytes { Base64.encode($0) })""#
        return try await call("Encrypt", member, identity) { answer throws(EnclaveLockError) in
            let blob = try answer["CiphertextBlob"]?.text.flatMap({ text throws(EnclaveLockError) in
                try Self.decoded(text)
            })
            guard let blob, Self.sealedLengths.contains(blob.count) else {
                throw Self.failed("the answer has no CiphertextBlob")
            }
            return blob.withUnsafeBytes { Array($0) }
        }
    }

    public func open(
        _ sealed: [UInt8], identity: RecordIdentity, caller _: CallerShare?
    ) async throws(EnclaveLockError) -> SharedSecret {
        try await decrypt(sealed, identity)
    }

    /// Opens what another program sealed with the key and without an encryption context.
    ///
    /// - Throws: As ``open(_:identity:)``.
    public func openForeign(_ sealed: [UInt8]) async throws(EnclaveLockError) -> SharedSecret {
        try await decrypt(sealed, nil)
    }

    private func decrypt(
        _ sealed: [UInt8], _ identity: RecordIdentity?
    ) async throws(EnclaveLockError) -> SharedSecret {
        // The service would refuse the request, not the record: one damaged row would speak for the key of all.
        guard Self.sealedLengths.contains(sealed.count) else { throw Self.doesNotOpen }
        return try await call(
            "Decrypt", #","CiphertextBlob":"\#(Base64.encode(sealed))""#, identity
        ) { answer throws(EnclaveLockError) in
            guard let text = answer["Plaintext"]?.text, let secret = try Self.decoded(text) else {
                throw Self.failed("the answer has no Plaintext")
            }
            return secret
        }
    }

    private static func decoded(_ text: String) throws(EnclaveLockError) -> SharedSecret? {
        do {
            return try SealedText.decode(text, limit: 3 * longestSecret)
        } catch {
            throw EnclaveLockError(.internalFailure, "Could not hold what AWS KMS answered: \(error)")
        }
    }

    /// - Parameter read: Takes the result out of the answer; an answer without one is the service's failure like any other.
    private func call<R>(
        _ operation: String, _ member: String, _ identity: RecordIdentity?,
        _ read: (JSONNode) throws(EnclaveLockError) -> R
    ) async throws(EnclaveLockError) -> R {
        do throws(EnclaveLockError) {
            let result = try read(try await ask(operation, member, identity))
            standing.works()
            return result
        } catch {
            // What does not open says nothing about the key.
            if error.code == .remoteFailed { standing.fails(error) }
            throw error
        }
    }

    private func ask(
        _ operation: String, _ member: String, _ identity: RecordIdentity?
    ) async throws(EnclaveLockError) -> JSONNode {
        let body: [UInt8]
        do throws(LibCryptoError) {
            var context = ""
            if let identity {
                let hash = Base64.encode(try Digest.sha256(identity.associatedData))
                context = #","EncryptionContext":{"\#(Self.contextName)":"\#(hash)"}"#
            }
            body = Array(#"{"KeyId":"\#(key.arn)"\#(context)\#(member)}"#.utf8)
        } catch {
            throw EnclaveLockError(.internalFailure, "Could not sign a request: \(error)")
        }
        let answer: OutboundAnswer
        do {
            // Each try has a signature of its own time. Sealing twice makes two texts of which one is kept.
            answer = try await OutboundRetry(outbound, until: .now + Self.patience)
                .send(isPassing: Self.isPassing) { try signed(operation, body) }
        } catch let error as OutboundError {
            throw Self.failed("no answer: \(error.message)", isPassing: error.isPassing)
        } catch is CancellationError {
            throw Self.failed("no answer: the request was cancelled", isPassing: true)
        } catch {
            throw EnclaveLockError(.internalFailure, "Could not sign a request: \(error)")
        }
        guard answer.status == 200 else {
            let type = Self.type(answer)
            if operation == "Decrypt", ["InvalidCiphertextException", "IncorrectKeyException"].contains(type) {
                throw Self.doesNotOpen
            }
            let shown = type.unicodeScalars.filter { $0.isASCII && $0.properties.isAlphabetic }.prefix(80)
            throw Self.failed(
                "status \(answer.status) \(String(String.UnicodeScalarView(shown)))", isPassing: Self.isPassing(answer))
        }
        guard let node = try? JSONNode(reading: answer.body) else { throw Self.failed("the answer is no JSON") }
        return node
    }

    private static func isPassing(_ answer: OutboundAnswer) -> Bool {
        answer.status != 200 && (answer.isPassing || throttling.contains(type(answer)))
    }

    /// `InvalidCiphertextException` and the like; empty for none. The protocol wants readers to take it from any of three
    /// places, without a name space in front (`com.amazonaws.kms#`) and an address behind (`:http://…`).
    ///
    /// - Source: Smithy, AWS JSON 1.1 protocol, "Operation error serialization".
    private static func type(_ answer: OutboundAnswer) -> String {
        let node = try? JSONNode(reading: answer.body)
        let text = node?["__type"]?.text ?? node?["code"]?.text ?? answer.header("x-amzn-ErrorType") ?? ""
        let named = text.splitExactly(at: ":")[0]
        return named.splitExactly(at: "#", omittingEmpty: true).last.map(String.init) ?? ""
    }

    private func signed(_ operation: String, _ body: [UInt8]) throws(LibCryptoError) -> OutboundRequest {
        let authority = endpoint.splitExactly(at: "/", maxSplits: 2).last ?? ""
        let headers = [
            (name: "Host", value: Self.hostHeader(endpoint, String(authority))),
            (name: "Content-Type", value: "application/x-amz-json-1.1"),
            (name: "X-Amz-Target", value: "TrentService.\(operation)"),
        ]
        let signature = AWSSignature(credentials: credentials, region: key.region, service: "kms", time: now())
        let added = try signature.headers(method: "POST", path: "/", headers: headers, body: body)
        return OutboundRequest(method: "POST", url: endpoint + "/", headers: headers + added, body: body)
    }

    /// The default port is left out, as the service sees it.
    private static func hostHeader(_ endpoint: String, _ authority: String) -> String {
        let port = endpoint.startsExactly(with: "https:") ? ":443" : ":80"
        return (authority.endsExactly(with: port) ? String(authority.dropLast(port.count)) : authority)
            .asciiLowercased()
    }

    private static var doesNotOpen: EnclaveLockError {
        EnclaveLockError(.openingFailed, "The sealed record does not open.")
    }

    private static func failed(_ reason: String, isPassing: Bool = false) -> EnclaveLockError {
        EnclaveLockError(.remoteFailed, "AWS KMS: " + reason, isPassing: isPassing)
    }
}

public import EnclaveLock
import Glibc
import LibCrypto
public import Outbound
public import SecretMemory
import StrictJSON
import TextEncodings

/// A lock whose key never leaves AWS KMS. The record's identity goes along as encryption context, by its hash, so what
/// was sealed for one record does not open for another.
///
/// - Source: AWS KMS API reference, Encrypt and Decrypt (JSON 1.1).
public struct AWSKMSLock: SecretLock {
    /// Member of the encryption context.
    private static let contextName = "kmsd-record"
    /// Longest plaintext of Encrypt.
    private static let longestSecret = 4096

    private let key: AWSKeyURI
    /// Without a slash at its end.
    private let endpoint: String
    private let credentials: AWSCredentials
    private let outbound: any OutboundSending
    private let now: @Sendable () -> Int64

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
        while endpoint.hasSuffix("/") { endpoint.removeLast() }
        self.endpoint = endpoint
        self.credentials = credentials
        self.outbound = outbound
        self.now = now
    }

    public var kind: LockKind { .aws }
    public var identity: String { key.arn }

    public func seal(_ secret: SharedSecret, identity: RecordIdentity) async throws(EnclaveLockError) -> [UInt8] {
        guard secret.count <= Self.longestSecret else {
            throw EnclaveLockError(.invalidArgument, "AWS KMS seals at most \(Self.longestSecret) bytes.")
        }
        let answer = try await call(
            "Encrypt", #","Plaintext":"\#(secret.withUnsafeBytes { Base64.encode($0) })""#, identity)
        guard
            let blob = try answer["CiphertextBlob"]?.text.flatMap({ text throws(EnclaveLockError) in
                try Self.decoded(text)
            })
        else { throw Self.failed("the answer has no CiphertextBlob") }
        return blob.withUnsafeBytes { Array($0) }
    }

    public func open(_ sealed: [UInt8], identity: RecordIdentity) async throws(EnclaveLockError) -> SharedSecret {
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
        let answer = try await call(
            "Decrypt", #","CiphertextBlob":"\#(Base64.encode(sealed))""#, identity)
        guard let text = answer["Plaintext"]?.text, let secret = try Self.decoded(text) else {
            throw Self.failed("the answer has no Plaintext")
        }
        return secret
    }

    private static func decoded(_ text: String) throws(EnclaveLockError) -> SharedSecret? {
        do {
            return try SealedText.decode(text, limit: 3 * longestSecret)
        } catch {
            throw EnclaveLockError(.internalFailure, "Could not hold what AWS KMS answered: \(error)")
        }
    }

    private func call(
        _ operation: String, _ member: String, _ identity: RecordIdentity?
    ) async throws(EnclaveLockError) -> JSONNode {
        let request: OutboundRequest
        do throws(LibCryptoError) {
            var context = ""
            if let identity {
                let hash = Base64.encode(try Digest.sha256(identity.associatedData))
                context = #","EncryptionContext":{"\#(Self.contextName)":"\#(hash)"}"#
            }
            request = try signed(operation, Array(#"{"KeyId":"\#(key.arn)"\#(context)\#(member)}"#.utf8))
        } catch {
            throw EnclaveLockError(.internalFailure, "Could not sign a request: \(error)")
        }
        let answer: OutboundAnswer
        do throws(OutboundError) {
            answer = try await outbound.send(request)
        } catch {
            throw Self.failed("no answer: \(error.message)")
        }
        let node = try? JSONNode(reading: answer.body)
        guard answer.status == 200 else {
            // `com.amazonaws.kms#InvalidCiphertextException` and its short form.
            let type = (node?["__type"]?.text ?? "").split(separator: "#").last.map(String.init) ?? ""
            if operation == "Decrypt", ["InvalidCiphertextException", "IncorrectKeyException"].contains(type) {
                throw EnclaveLockError(.openingFailed, "The sealed record does not open.")
            }
            let shown = type.unicodeScalars.filter { $0.properties.isAlphabetic }.prefix(80)
            throw Self.failed("status \(answer.status) \(String(String.UnicodeScalarView(shown)))")
        }
        guard let node else { throw Self.failed("the answer is no JSON") }
        return node
    }

    private func signed(_ operation: String, _ body: [UInt8]) throws(LibCryptoError) -> OutboundRequest {
        let authority = endpoint.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false).last ?? ""
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
        let port = endpoint.hasPrefix("https:") ? ":443" : ":80"
        return (authority.hasSuffix(port) ? String(authority.dropLast(port.count)) : authority).lowercased()
    }

    private static func failed(_ reason: String) -> EnclaveLockError {
        EnclaveLockError(.remoteFailed, "AWS KMS: " + reason)
    }
}

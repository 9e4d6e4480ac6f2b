internal import LibCrypto
internal import Synchronization
import Workers

/// Signatures of requests that held lately, with what their headers say, so that a header that comes again need not be
/// parsed, nor its Ed25519 signature verified, again.
///
/// A signature is one of a key over a text. Whether it holds never changes, so remembering it for the very same key, text
/// and signature weakens nothing; everything that does change is checked for each request: times, the covered headers,
/// which make the text, the digest of the body, the capability and the action. Only what was accepted is remembered, so
/// nobody fills the cache with what they may not do.
///
/// - Concurrency: any thread; a critical section is a dictionary access.
final class SignatureCache: Sendable {
    /// A header that was accepted.
    struct Entry: Sendable {
        let signature: HTTPSignature
        let key: DIDKey
        /// What was signed.
        let text: [UInt8]
        fileprivate let until: Int64

        init(signature: HTTPSignature, key: DIDKey, text: [UInt8], until: Int64 = 0) {
            self.signature = signature
            self.key = key
            self.text = text
            self.until = until
        }
    }

    /// A key that signed an accepted request, its point checked.
    struct Signer: Sendable {
        let did: DIDKey
        let key: VerificationKey
    }

    /// Longer headers are not remembered; in bytes.
    private static let longestHeader = 2_048

    private let seconds: Int64
    private let entries: Mutex<RecentlyUsed<ByteKey, Entry>>
    private let signers: Mutex<RecentlyUsed<ByteKey, Signer>>

    /// - Parameters:
    ///   - seconds: How long a signature is remembered.
    ///   - limit: Signatures remembered at most, and keys.
    init(seconds: Int64 = 300, limit: Int = 4_096) {
        self.seconds = seconds
        entries = Mutex(RecentlyUsed(limit: limit))
        signers = Mutex(RecentlyUsed(limit: limit))
    }

    /// - Parameter digest: Of the whole header.
    func find(_ digest: [UInt8], now: Int64) -> Entry? {
        guard let entry = entries.withLock({ $0.find(ByteKey(digest)) }), now < entry.until,
            now >= entry.until - seconds
        else { return nil }
        return entry
    }

    func remember(_ entry: Entry, _ digest: [UInt8], headerLength: Int, now: Int64) {
        guard headerLength <= Self.longestHeader, entry.text.count <= Self.longestHeader else { return }
        let entry = Entry(signature: entry.signature, key: entry.key, text: entry.text, until: now + seconds)
        entries.withLock { $0.insert(entry, ByteKey(digest)) }
    }

    /// The key that a `keyId` names, if it signed an accepted request lately.
    func signer(_ keyID: String) -> Signer? { signers.withLock { $0.find(ByteKey(keyID)) } }

    func remember(_ signer: Signer, _ keyID: String) { signers.withLock { $0.insert(signer, ByteKey(keyID)) } }

    var count: Int { entries.withLock { $0.count } }
}

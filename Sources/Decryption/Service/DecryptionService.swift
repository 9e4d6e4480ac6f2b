public import Audit
import Encodings
public import Foundation
import InclusionProofs
import LibCrypto
import LightClient
import SecretMemory
import TFHE
import Token

/// Decrypts what a chain has marked, and nothing else.
///
/// Every question goes the same way: who asks, a verified header at the height he names, a proof that leads from the header's
/// application hash to the permission for exactly these bytes, then the key, the value, the signature, the audit record, and
/// only then the answer. What is proven is derived here: contract, slot, key and value are never taken from the question.
///
/// - Concurrency: any number of calls at once.
public final class DecryptionService: Sendable {
    /// Who asks.
    public struct Caller: Sendable {
        /// The name in his certificate, or his address.
        public var name: String
        public var requestID: String
        /// Whether he has gone, or his deadline has.
        public var isGone: @Sendable () -> Bool

        public init(name: String, requestID: String, isGone: @escaping @Sendable () -> Bool = { Task.isCancelled }) {
            self.name = name
            self.requestID = requestID
            self.isGone = isGone
        }
    }

    public let policy: DecryptionPolicy
    public let keys: DecryptionKeyVault
    public let headers: any VerifiedHeaders
    public let signer: ResultSigner
    let answers: any AnswerStoring
    let audit: any AuditRecording
    /// Nil: none are given.
    let receipts: ReceiptIssuer?
    let rate: CallerRate
    let refusals = RefusalCounts()
    let clock: @Sendable () -> Date

    public init(
        policy: DecryptionPolicy, keys: DecryptionKeyVault, headers: any VerifiedHeaders, signer: ResultSigner,
        answers: any AnswerStoring, audit: any AuditRecording, receipts: ReceiptIssuer? = nil,
        clock: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.policy = policy
        self.keys = keys
        self.headers = headers
        self.signer = signer
        self.answers = answers
        self.audit = audit
        self.receipts = receipts
        self.clock = clock
        rate = CallerRate(perSecond: policy.rate)
    }

    // MARK: The way of a question

    /// What is to be decrypted, and why it may be.
    struct Question {
        /// Empty for the one that the policy names.
        var keyID: String
        var ciphertext: [UInt8]
        var format: CiphertextFormat
        var type: ValueType
        /// Numbers of an array; 0 for what is none.
        var arrayLength = 0
        var height: UInt64
        var proof: [UInt8]
        var permission: AccessList.Permission
        /// Of accounts that may have it re-encrypted, if the request has one.
        var list: PermissibleDecryptors?
        /// Of the ciphertext, if it was hashed before.
        var handle: [UInt8]?
    }

    /// A value, and what it was decrypted on the word of.
    struct Opened: Sendable {
        /// Little-endian at the type's width, wiped with the last reference.
        let value: SharedSecret
        let evidence: Evidence
    }

    struct Evidence: Sendable {
        var key: DecryptionKeyRecord
        var handle: [UInt8]
        var header: VerifiedHeader
        var noiseMargin = 0

        /// For the audit chain.
        var details: [String: String] {  // exact: names of details, this program's own.
            [
                "handle": Hexadecimal.encode(handle), "height": "\(header.height)",
                "header-hash": Hexadecimal.encode(header.hash), "noise-margin": "\(noiseMargin)",
            ]
        }
    }

    func open(_ question: Question, _ caller: Caller) async throws(DecryptionError) -> Opened {
        guard !question.ciphertext.isEmpty else { throw .invalid("empty-ciphertext", "the ciphertext is empty") }
        guard question.ciphertext.count <= policy.maximumCiphertext else {
            throw .invalid(
                "ciphertext-length", "the ciphertext is longer than \(policy.maximumCiphertext) bytes")
        }
        let record = try await record(question.keyID)
        let handle = question.handle ?? Handles.handle(of: question.ciphertext)
        let header = try await header(question.height)
        try prove(question, handle, header)
        let ciphertexts: [Ciphertext]
        do throws(TFHEError) {
            ciphertexts =
                question.format == .concreteArray
                ? try Ciphertext.array(question.ciphertext, of: question.type, count: question.arrayLength)
                : [try Ciphertext(question.ciphertext, as: question.format, of: question.type)]
        } catch { throw .invalid(error.code.rawValue, error.message) }
        try checkTime(caller)
        let key = try await keys.open(record)
        do {
            var evidence = Evidence(key: record, handle: handle, header: header, noiseMargin: .max)
            let width = question.type.byteCount
            let value = try SecretBytes.make(count: width * ciphertexts.count) { output in
                for (index, ciphertext) in ciphertexts.enumerated() {
                    let value = try key.decrypt(ciphertext, limit: policy.noiseLimit)
                    evidence.noiseMargin = min(evidence.noiseMargin, value.noiseMargin)
                    value.value.withUnsafeBytes {
                        UnsafeMutableRawBufferPointer(rebasing: output[(width * index)...]).copyMemory(from: $0)
                    }
                }
            }
            return Opened(value: SharedSecret(value), evidence: evidence)
        } catch let error as TFHEError {
            throw .invalid(error.code.rawValue, error.message)
        } catch { throw DecryptionKeyVault.translate(error) }
    }

    func record(_ id: String) async throws(DecryptionError) -> DecryptionKeyRecord {
        if let name = id.isEmpty ? policy.keyID : id {
            guard DecryptionKeyRecord.isName(name) else {
                throw .invalid("malformed-key-id", "a key's name is 1 to 64 ASCII letters and digits")
            }
            guard let record = try await keys.store.key(name) else {
                throw DecryptionError(.notFound, "unknown-key", "there is no key of that name")
            }
            return record
        }
        let enabled = try await keys.store.keys().filter { $0.state == .enabled }
        guard let only = enabled.first else {
            throw DecryptionError(.notFound, "unknown-key", "there is no enabled key")
        }
        guard enabled.count == 1 else {
            throw DecryptionError(
                .precondition, "key-ambiguous", "several keys are enabled; the setting decryption-key must name one")
        }
        return only
    }

    private func header(_ height: UInt64) async throws(DecryptionError) -> VerifiedHeader {
        guard height >= 1, let height = Int64(exactly: height) else {
            throw .invalid("malformed-height", "a proof's height is 1 or more")
        }
        let found: (header: VerifiedHeader, latest: Int64)
        do throws(LightClientError) { found = try await headers.header(at: height) } catch {
            throw DecryptionError(error)
        }
        guard found.latest - height <= policy.maximumAge else {
            throw DecryptionError(
                .precondition, "proof-age",
                "the proof is of height \(height), more than \(policy.maximumAge) below the latest trusted one")
        }
        return found.header
    }

    private func prove(_ question: Question, _ handle: [UInt8], _ header: VerifiedHeader) throws(DecryptionError) {
        var proofs = question.proof.isEmpty ? [] : [question.proof]
        if let list = question.list, case .reencrypt(let account) = question.permission {
            proofs += try list.proofs(of: account, contract: policy.accessList.contract, handle: handle)
        }
        guard !proofs.isEmpty else { throw .denied("no-proof", "nothing is decrypted without a proof") }
        do throws(ProofError) {
            // Whatever is shown must hold.
            for proof in proofs {
                try PermissionProof(proof, policy.proofForm).verify(
                    policy.accessList, question.permission, handle: handle, height: UInt64(header.height),
                    appHash: header.appHash)
            }
        } catch {
            throw error.code == .malformed
                ? .invalid(error.code.rawValue, error.message) : .denied(error.code.rawValue, error.message)
        }
    }

    /// - Throws: `late` if nobody waits for an answer any more.
    func checkTime(_ caller: Caller) throws(DecryptionError) {
        if caller.isGone() { throw DecryptionError(.late, "deadline", "the caller's deadline is over") }
    }

    // MARK: The record of it

    /// Runs one operation; a refusal is recorded, as far as the chain takes it, or counted if it repeats.
    func audited<R: Sendable>(
        _ operation: String, _ caller: Caller, key: String, _ body: () async throws(DecryptionError) -> R
    ) async throws(DecryptionError) -> R {
        do throws(DecryptionError) {
            return try await body()
        } catch {
            let isFault = [.failed, .unavailable].contains(error.kind)
            let kind = RefusalCounts.Kind(
                actor: caller.name, operation: operation, reason: error.reason, isFailure: isFault)
            let isWhole = refusals.isWhole(
                kind, address: caller.name, requestID: caller.requestID, at: Int64(clamping: now))
            guard isWhole else { throw error }
            _ = try? await audit.record(
                AuditEvent(
                    front: "decryption", actor: caller.name, operation: operation, subject: Self.subject(key),
                    outcome: isFault ? .failed : .refused, reason: error.reason, requestID: caller.requestID))
            throw error
        }
    }

    /// Records that an answer goes out; without the record it does not.
    ///
    /// - Parameter signature: Nil for one that lies in a box: over a small value everybody could try which one it signs.
    func allow(
        // exact: names of details are our own words.
        _ operation: String, _ caller: Caller, key: String, details: [String: String], digest: [UInt8],
        account: [UInt8]?, signature: [UInt8]?
    ) async throws(DecryptionError) -> AuditPosition {
        try checkTime(caller)
        var details = details
        details["request-digest"] = Hexadecimal.encode(digest)
        if let signature { details["signature"] = Hexadecimal.encode(signature) }
        if let account { details["account"] = Hexadecimal.encode(account) }
        do {
            return try await audit.record(
                AuditEvent(
                    front: "decryption", actor: caller.name, operation: operation, subject: key, outcome: .allowed,
                    reason: "ok", requestID: caller.requestID, details: details))
        } catch { throw Self.noRecord }
    }

    /// A caller's words for a key, as far as they can be one.
    private static func subject(_ key: String) -> String { DecryptionKeyRecord.isName(key) ? key : "" }
}

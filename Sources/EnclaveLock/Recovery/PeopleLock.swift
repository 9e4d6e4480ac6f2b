public import Encodings
import Foundation
import LibCrypto
public import SecretMemory

/// A lock of several people of whom some suffice: a key is shared among them, and each share is sealed to one person's
/// passphrase or public key.
///
/// - Concurrency: any number of calls at once.
public struct PeopleLock: SecretLock {
    /// People at most.
    public static let most = ThresholdShares.most
    /// ``RecordIdentity/type`` of a sealed share.
    static let shareType = "recovery-share"

    private let members: [any SecretLock]
    /// Nil for a lock that only opens.
    private let threshold: Int?

    public var kind: LockKind { .people }
    /// Who they are stands with their shares.
    public var identity: String { "people" }

    /// - Parameters:
    ///   - members: One lock for each person; to open, those at hand.
    ///   - threshold: How many must come together; nil for a lock that only opens.
    /// - Throws: `.invalidArgument` for numbers that cannot be, and for two people with one passphrase or one public key, of whom
    ///   one alone would count as two.
    public init(members: [any SecretLock], threshold: Int? = nil) throws(EnclaveLockError) {
        if let threshold {
            guard (2...Self.most).contains(members.count), (2...members.count).contains(threshold) else {
                throw EnclaveLockError(
                    .invalidArgument,
                    "There are \(members.count) people and a threshold of \(threshold): give 2 to \(Self.most) people, and a "
                        + "threshold from 2 to their number.")
            }
            for (index, member) in members.enumerated() {
                guard let twin = members[..<index].firstIndex(where: { Self.isOne($0, member) }) else { continue }
                throw EnclaveLockError(
                    .invalidArgument,
                    "Two people have the same \(member.kind == .passphrase ? "passphrase" : "key") (\(twin + 1) and \(index + 1), "
                        + "passphrases counted first), so one of them alone would count as two: give each one of their own."
                )
            }
        }
        self.members = members
        self.threshold = threshold
    }

    /// Whether whoever opens the one opens the other.
    private static func isOne(_ first: any SecretLock, _ second: any SecretLock) -> Bool {
        if let first = first as? PassphraseLock, let second = second as? PassphraseLock {
            return first.isOfSamePassphrase(as: second)
        }
        return first.kind == second.kind && first.identity.isExactly(second.identity)
    }

    private struct Share: Codable {
        var kind: LockKind
        var identity: String
        var sealed: Data

        func belongs(to lock: any SecretLock) -> Bool { lock.kind == kind && lock.identity.isExactly(identity) }
    }

    /// What is stored; see `docs/FORMATS.md`.
    private struct Form: Codable {
        var version = 1
        var threshold: Int
        var shares: [Share]
        var sealed: Data

        init(threshold: Int, shares: [Share], sealed: [UInt8]) {
            self.threshold = threshold
            self.shares = shares
            self.sealed = Data(sealed)
        }

        init?(decoding bytes: [UInt8]) {
            guard let form = try? JSONDecoder().decode(Form.self, from: Data(bytes)), form.version == 1,
                (2...PeopleLock.most).contains(form.shares.count), (2...form.shares.count).contains(form.threshold)
            else { return nil }
            self = form
        }
    }

    public func seal(
        _ secret: SharedSecret, identity: RecordIdentity, caller _: CallerShare?
    ) async throws(EnclaveLockError) -> [UInt8] {
        guard let threshold else {
            throw EnclaveLockError(.invalidArgument, "A lock of people that only opens seals nothing.")
        }
        let key: SharedSecret
        do {
            key = SharedSecret(try SecretBytes.random(count: Envelope.lockKeyLength))
        } catch {
            throw EnclaveLockError.failed("Could not draw a key", error)
        }
        let envelope = try secret.withSecret { secret throws(EnclaveLockError) in
            try key.withSecret { key throws(EnclaveLockError) in
                try Envelope.seal(secret, lockKey: key, identity: identity)
            }
        }
        let parts = try key.withSecret { key throws(EnclaveLockError) in
            try ThresholdShares.split(key, threshold: threshold, count: members.count)
        }
        var shares: [Share] = []
        for (index, (member, part)) in zip(members, parts).enumerated() {
            let sealed = try await member.seal(part, identity: Self.identity(identity, index), caller: nil)
            shares.append(Share(kind: member.kind, identity: member.identity, sealed: Data(sealed)))
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return [UInt8](try encoder.encode(Form(threshold: threshold, shares: shares, sealed: envelope)))
        } catch {
            throw EnclaveLockError.failed("Could not encode shares", error)
        }
    }

    public func open(
        _ sealed: [UInt8], identity: RecordIdentity, caller _: CallerShare?
    ) async throws(EnclaveLockError) -> SharedSecret {
        guard let form = Form(decoding: sealed) else { throw .doesNotOpen }
        var parts: [SharedSecret] = []
        for (index, share) in form.shares.enumerated() where parts.count < form.threshold {
            for member in members where share.belongs(to: member) {
                // A passphrase that is another person's, and a token that is away: the others may suffice.
                guard
                    let part = try? await member.open(
                        [UInt8](share.sealed), identity: Self.identity(identity, index), caller: nil)
                else { continue }
                parts.append(part)
                break
            }
        }
        guard parts.count == form.threshold else {
            throw EnclaveLockError(
                .noMatchingSlot,
                "\(form.threshold) of \(form.shares.count) people must come together, and \(parts.count) are here.")
        }
        let key = SharedSecret(try ThresholdShares.combine(parts))
        return SharedSecret(
            try key.withSecret { key throws(EnclaveLockError) in
                try Envelope.open([UInt8](form.sealed), lockKey: key, identity: identity)
            })
    }

    /// Whether as many people may be at hand as must come together.
    func hasEnough(for sealed: [UInt8]) -> Bool {
        guard let form = Form(decoding: sealed) else { return false }
        let named = form.shares.filter { share in
            share.kind != .passphrase && members.contains { share.belongs(to: $0) }
        }
        // Passphrases have no names: each may be anybody's.
        let passphrases = members.filter { $0.kind == .passphrase }
        let shares = form.shares.filter { $0.kind == .passphrase }
        return named.count + min(passphrases.count, shares.count) >= form.threshold
    }

    /// The identity of one share of what has `identity`.
    private static func identity(_ identity: RecordIdentity, _ index: Int) -> RecordIdentity {
        RecordIdentity(
            tenant: identity.tenant, keystore: identity.keystore, key: identity.key,
            type: "\(shareType)/\(identity.type)/\(identity.version)", version: UInt64(index + 1))
    }
}

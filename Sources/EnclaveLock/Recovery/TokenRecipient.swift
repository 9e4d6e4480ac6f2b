import Encodings
public import Foundation
public import HybridSealing
public import SecretMemory
public import Token

/// A token's own key that others seal to: the agreement key stays in the token, the ML-KEM seed is sealed by it, so neither opens
/// without it.
public struct RecipientRecord: Codable, Sendable, Hashable {
    /// The format; see `docs/FORMATS.md`.
    public static let currentVersion = 1
    /// ``RecordIdentity/type`` of the sealed seed.
    static let seedType = "hybrid-slot-seed"

    public var version: Int
    /// ML-KEM encapsulation key ‖ point.
    public var recipient: Data
    public var agreement: ResidentKeyBlob
    /// Sealed under the token's root lock.
    public var seed: Data

    /// The public key.
    ///
    /// - Throws: `.configurationRefused` for a record that holds none.
    public var publicKey: HybridRecipient {
        get throws(EnclaveLockError) {
            guard version == Self.currentVersion, let key = try? HybridRecipient([UInt8](recipient)),
                agreement.publicKey == key.point
            else {
                throw EnclaveLockError(
                    .configurationRefused,
                    "The record of the token's public key is damaged; restore it from the backup.")
            }
            return key
        }
    }
}

/// Opens what was sealed to a token's public key, with that token.
///
/// - Concurrency: any number of calls at once.
public struct TokenRecipient: Sendable {
    public let publicKey: HybridRecipient
    private let record: RecipientRecord
    private let token: any Sealing & ResidentKeyOperations

    /// - Throws: `.configurationRefused`.
    public init(record: RecipientRecord, token: any Sealing & ResidentKeyOperations) throws(EnclaveLockError) {
        publicKey = try record.publicKey
        self.record = record
        self.token = token
    }

    /// Makes a key pair in the token.
    ///
    /// - Throws: `.tokenFailed`, with `.mechanismUnsupported` for a token that agrees on nothing.
    public static func make(
        in token: any Sealing & ResidentKeyOperations
    ) async throws(EnclaveLockError) -> RecipientRecord {
        do {
            let agreement = try await token.generateResident(.p256Agreement)
            let seed = SharedSecret(try SecretBytes.random(count: HybridSuite.seedLength))
            let key = try seed.withSecret {
                try HybridRecipient.make(.mlkem768p256, seed: $0, point: agreement.publicKey ?? [])
            }
            let sealed = try await token.seal(seed, under: .rootLock, context: try context(key))
            return RecipientRecord(
                version: RecipientRecord.currentVersion, recipient: Data(key.bytes), agreement: agreement,
                seed: Data(sealed))
        } catch let error as HSMError {
            throw EnclaveLockError(.tokenFailed, "The token did not make a key to seal to.", cause: error)
        } catch let error as EnclaveLockError {
            throw error
        } catch {
            throw EnclaveLockError.failed("Could not make a key to seal to", error)
        }
    }

    /// - Throws: `.openingFailed` for whatever was not sealed to this key for this purpose; `.tokenFailed`.
    public func open(_ sealed: [UInt8], info: [UInt8]) async throws(EnclaveLockError) -> SharedSecret {
        do {
            let point = try HybridSealing.point(of: sealed, publicKey.suite)
            // First, because every token says of it for sure whether it is its own.
            let seed = try await token.open(
                [UInt8](record.seed), under: .rootLock, context: try Self.context(publicKey))
            let agreed = try await token.agree(with: point, key: record.agreement)
            return SharedSecret(
                try agreed.withSecret { agreed in
                    try seed.withSecret { seed in
                        try HybridSealing.open(sealed, as: publicKey, seed: seed, agreed: agreed, info: info)
                    }
                })
        } catch let error as HSMError where error.code != .authenticationFailed {
            throw EnclaveLockError(.tokenFailed, "The token of a lock slot did not open it.", cause: error)
        } catch let error as HybridSealingError where error.code == .internalFailure {
            throw EnclaveLockError.failed("Could not open a lock slot", error)
        } catch {
            throw .doesNotOpen
        }
    }

    /// Proves that the token has the private halves, by letting it open what was sealed to the public one: the record is a file, which
    /// somebody may have exchanged for that of a key of his.
    ///
    /// - Throws: `.configurationRefused` if it has not; `.tokenFailed`.
    public func prove() async throws(EnclaveLockError) {
        let identity: RecordIdentity
        let sample: SharedSecret
        do {
            identity = RecordIdentity(
                tenant: "", keystore: "", key: try publicKey.fingerprint, type: "recipient-proof", version: 1)
            sample = SharedSecret(try SecretBytes.random(count: 32))
        } catch {
            throw EnclaveLockError.failed("Could not prove a public key", error)
        }
        let sealed = try HybridSlotLock.seal(sample, to: publicKey, identity: identity)
        do throws(EnclaveLockError) {
            let opened = try await open(sealed, info: HybridSlotLock.info(identity))
            let isSame = opened.withUnsafeBytes { opened in
                sample.withUnsafeBytes { ConstantTime.equal($0, opened) }
            }
            guard isSame else { throw EnclaveLockError.doesNotOpen }
        } catch {
            guard error.code == .openingFailed else { throw error }
            throw EnclaveLockError(
                .configurationRefused,
                "The record of the token's public key is not of this token: it was exchanged, or changed. Nothing is shown; "
                    + "restore recipient.json from the backup.")
        }
    }

    private static func context(_ key: HybridRecipient) throws(HybridSealingError) -> [UInt8] {
        RecordIdentity(
            tenant: "", keystore: "", key: try key.fingerprint, type: RecipientRecord.seedType, version: 1
        ).associatedData
    }
}

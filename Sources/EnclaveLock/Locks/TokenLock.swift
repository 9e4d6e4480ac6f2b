public import Encodings
public import SecretMemory
public import Token

/// A lock whose key never leaves a token: its root lock key, with the record's identity as context.
public struct TokenLock: SecretLock {
    private let token: any Sealing

    public init(token: any Sealing) { self.token = token }

    public var kind: LockKind { .token }
    public var identity: String { token.sealingIdentity }

    public func seal(
        _ secret: SharedSecret, identity: RecordIdentity, caller _: CallerShare?
    ) async throws(EnclaveLockError) -> [UInt8] {
        let context = try context(identity)
        do throws(HSMError) {
            return try await token.seal(secret, under: .rootLock, context: context)
        } catch {
            throw EnclaveLockError(.tokenFailed, "The token did not seal.", cause: error)
        }
    }

    public func open(
        _ sealed: [UInt8], identity: RecordIdentity, caller _: CallerShare?
    ) async throws(EnclaveLockError) -> SharedSecret {
        let context = try context(identity)
        do throws(HSMError) {
            return try await token.open(sealed, under: .rootLock, context: context)
        } catch {
            if error.code == .authenticationFailed { throw .doesNotOpen }
            throw EnclaveLockError(.tokenFailed, "The token did not open a sealed record.", cause: error)
        }
    }

    private func context(_ identity: RecordIdentity) throws(EnclaveLockError) -> [UInt8] {
        let context = identity.associatedData
        guard context.count <= RecordIdentity.longestAssociatedData else {
            throw EnclaveLockError(.invalidArgument, "The names of a record are too long together.")
        }
        return context
    }
}

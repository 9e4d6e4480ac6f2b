import Encodings
import Synchronization
import Token

/// Everything that is valid during one login generation: resolved handles, session copies and the session that keeps
/// them alive. A new generation gets a new object; the old one closes its session when the last job lets go of it.
final class Connection: Sendable {
    /// A role's key on the token.
    struct RoleKey: Sendable {
        let kind: KeyKind
        /// The token object: secret or private key.
        let original: ObjectHandle
        /// A session copy where the token allows one: three times as fast. It would outlive the original, so health
        /// is always checked on the original.
        let hot: ObjectHandle
        let publicKey: PublicKeyDescription?
        /// For a pair that seals; nil for other kinds.
        var sealing: PublicSealing?
    }

    let generation: UInt64
    let identity: TokenIdentity
    let door: CallDoor
    let slot: UInt
    let epoch: UInt64
    let manifest: TokenManifest?
    let keys: [KeyRole: RoleKey]
    /// Holds the login, the session copies and the unwrapped resident keys, which all die with it.
    private let keeper: Mutex<Session>
    let residents: ResidentCache<ResidentKeyBlob>
    let anchors: ResidentCache<AnchorBlob>
    /// The token objects of anchors that were looked up, by identifier.
    let anchorObjects = Mutex<[[UInt8]: ObjectHandle]>([:])
    private let history = Mutex<KeyHistory?>(nil)
    let residentAlgorithms: Set<ResidentAlgorithm>

    init(
        generation: UInt64, identity: TokenIdentity, manifest: TokenManifest?, keys: [KeyRole: RoleKey],
        keeper: consuming Session, residentLimit: Int, residentAlgorithms: Set<ResidentAlgorithm>
    ) {
        self.generation = generation
        self.identity = identity
        self.manifest = manifest
        self.keys = keys
        door = keeper.door
        slot = keeper.slot
        epoch = keeper.epoch
        self.keeper = Mutex(keeper)
        residents = ResidentCache(limit: residentLimit)
        anchors = ResidentCache(limit: residentLimit)
        self.residentAlgorithms = residentAlgorithms
    }

    /// What the module tells of no key; found out once.
    func untold(_ session: borrowing Session) throws(HSMError) -> [String]? {
        if let known = history.withLock({ $0 }) { return known.untold.isEmpty ? nil : known.untold }
        let found = try KeyHistory.probe(session)
        history.withLock { $0 = found }
        return found.untold.isEmpty ? nil : found.untold
    }

    func key(_ role: KeyRole) throws(HSMError) -> RoleKey {
        guard let key = keys[role] else {
            guard role != .residentWrap || manifest?.mayLackWrapping != true else {
                throw HSMError(
                    .mechanismUnsupported, "This token made no AES key that wraps, so it holds no resident keys.")
            }
            throw HSMError(.keyMissing, "The token holds no '\(role.rawValue)' key; run `kmsd init`.")
        }
        return key
    }

    /// Uses the keeper session; for objects that must outlive the calling thread's session.
    func withKeeper<R: Sendable>(
        _ body: @Sendable (borrowing Session) throws(HSMError) -> R
    ) throws(HSMError) -> R {
        let result = keeper.withLock { session -> Result<R, HSMError> in
            do throws(HSMError) { return .success(try body(session)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    /// False once the module was initialised again, for this token or another one on it.
    var isCurrentEpoch: Bool { door.module.epoch == epoch }

    /// Opens another session of this generation.
    func openSession(_ access: Session.Access) throws(HSMError) -> Session {
        try Session(door: door, slot: slot, epoch: epoch, access: access)
    }

    /// Proves that the token still answers and that each sealing key is still the one that sealed its sentinel. The
    /// wrapping key proves itself when the connection is made.
    ///
    /// Uses the originals: copies would go on working after the token's directory vanished. Of pairs the root lock stands for
    /// the others: on a smart card each costs a large part of a second.
    func checkSentinels(_ session: borrowing Session) throws(HSMError) {
        for role in KeyRole.sealing {
            guard let key = keys[role], let manifest, let record = manifest[role],
                role == .rootLock || !key.kind.sealsToPublicKey
            else { continue }
            try Self.checkSentinel(session, manifest: manifest, role: role, record: record, key: key.original)
        }
    }

    static func checkSentinel(
        _ session: borrowing Session, manifest: TokenManifest, role: KeyRole, record: TokenManifest.Key,
        key: ObjectHandle
    ) throws(HSMError) {
        guard let text = record.sentinel, let sealed = Hexadecimal.decode(text) else {
            throw HSMError(.configurationRefused, "The manifest has no sentinel for '\(role.rawValue)'.")
        }
        let context = TokenManifest.sentinelContext(instance: manifest.instance, role: role)
        do throws(HSMError) {
            if record.kind.sealsToPublicKey {
                _ = try PublicSealing(half: try SealingHalf(record), secret: nil)
                    .open(sealed, session: session, key: key, context: context)
            } else if role.seals {
                _ = try SealedFormat.open(sealed, session: session, key: key, context: context)
            } else {
                try WrappingSentinel.open(sealed, session: session, wrappingKey: key, context: context)
            }
        } catch  where error.cause == nil && error.code != .overloaded {
            throw HSMError(.keyMismatch, "The key '\(record.label)' does not open its sentinel.")
        }
    }
}

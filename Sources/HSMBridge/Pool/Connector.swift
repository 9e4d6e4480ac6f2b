import Encodings
internal import LibCrypto
import Token

/// Makes a connection: finds the token, logs in, resolves and checks every key. Runs on the supervisor's thread.
struct Connector: Sendable {
    let configuration: TokenConfiguration

    /// - Parameters:
    ///   - manifest: What must be there; nil to connect to a token that is not provisioned.
    ///   - probed: What resident keys an earlier connection proved possible; nil to find out.
    /// - Throws: `.tokenNotFound`, `.tokenMismatch` (no login was tried), `.pinRefused`, `.pinSourceRefused`,
    ///   `.keyMissing`, `.keyMismatch`, or what the module said.
    func connect(
        door: CallDoor, manifest: TokenManifest?, generation: UInt64, probed: Set<ResidentAlgorithm>?
    ) throws(HSMError) -> Connection {
        let found = try TokenSearch.find(door: door, uri: configuration.uri, manifest: manifest)
        let keeper = try Session(door: door, slot: found.slot, epoch: found.epoch, access: .readOnly)
        try Self.login(keeper, token: found.identity, pinSource: configuration.pinSource)
        var keys: [KeyRole: Connection.RoleKey] = [:]
        if let manifest {
            guard manifest.format == 1 else {
                throw HSMError(.configurationRefused, "The token manifest has format \(manifest.format), not 1.")
            }
            for role in KeyRole.allCases {
                guard let record = manifest[role] else { continue }
                keys[role] = try resolve(role, record, manifest, keeper)
            }
        }
        let algorithms: Set<ResidentAlgorithm>
        if let probed { algorithms = probed } else { algorithms = try probe(keys, keeper) }
        return Connection(
            generation: generation, identity: found.identity, manifest: manifest, keys: keys, keeper: keeper,
            residentLimit: configuration.residentHandleLimit, residentAlgorithms: algorithms)
    }

    /// Logs the user in, unless somebody in the process did; a PIN that was refused once is not tried again.
    static func login(
        _ session: borrowing Session, token: TokenIdentity, pinSource: PINSource
    ) throws(HSMError) {
        guard try !session.isLoggedIn() else { return }
        // Read before the guard is taken: a PIN file that cannot be read says nothing about the token.
        let pin = try pinSource.loadLine()
        let result = session.door.module.login(token: token) { session.loginResult(pin: pin) }
        guard let result else { throw refusedBefore(token) }
        guard result.isLoggedIn else { throw HSMError.returned(result, by: "C_Login") }
    }

    private static func refusedBefore(_ token: TokenIdentity) -> HSMError {
        HSMError(
            .pinRefused,
            "The token '\(token.label)' \(token.serial) refused its PIN before; correct the PIN and restart. It is not tried again."
        )
    }

    // MARK: Keys

    private func resolve(
        _ role: KeyRole, _ record: TokenManifest.Key, _ manifest: TokenManifest, _ session: borrowing Session
    ) throws(HSMError) -> Connection.RoleKey {
        guard let id = Hexadecimal.decode(record.id), role.kinds.contains(record.kind) else {
            throw HSMError(.configurationRefused, "The manifest's entry for '\(role.rawValue)' is damaged.")
        }
        switch record.kind {
        case .aes256Seal, .aes256Wrap:
            let key = try single(.secretKey, id, record, session)
            try prove(role, record, manifest, key, session)
            return Connection.RoleKey(
                kind: record.kind, original: key, hot: hotCopy(of: key, session), publicKey: nil)
        case .ecdhSeal, .rsaSealSHA256, .rsaSealSHA1:
            return try resolveSealingPair(
                role, record, manifest, try single(.privateKey, id, record, session), session)
        case .ecP256, .ecSecp256k1:
            guard let curve = record.kind.curve else { throw Self.mismatch(record) }
            let privateKey = try single(.privateKey, id, record, session)
            let publicKey = try publicKey(id, record, curve, session)
            guard publicKey.fingerprint == record.fingerprint else { throw Self.mismatch(record) }
            // The public half proves nothing about the private one until they agree on a signature.
            try Self.prove(privateKey, publicKey, record, session)
            return Connection.RoleKey(
                kind: record.kind, original: privateKey, hot: hotCopy(of: privateKey, session), publicKey: publicKey)
        }
    }

    /// Proves a secret key by use where there is a sentinel, and by its check value where both sides have one. A check
    /// value that is absent is unknown and equal to nothing.
    private func prove(
        _ role: KeyRole, _ record: TokenManifest.Key, _ manifest: TokenManifest, _ key: ObjectHandle,
        _ session: borrowing Session
    ) throws(HSMError) {
        if record.kind == .aes256Seal || record.sentinel != nil {
            try proveSentinel(role, record, manifest, key, session)
        }
        guard !record.fingerprint.isEmpty else { return }
        let shown = try CheckValue.shown(by: key, session)
        if let shown, shown != record.fingerprint { throw Self.mismatch(record) }
        // Some modules keep whatever a template claims; where the key may encrypt a block, it says what is true.
        if let computed = try CheckValue.computed(with: key, session), computed != record.fingerprint {
            throw Self.mismatch(record)
        }
        guard shown != nil || record.sentinel != nil else { throw Self.mismatch(record) }
    }

    /// Proves a pair by a signature of the private half that the public one verifies.
    static func prove(
        _ privateKey: ObjectHandle, _ publicKey: PublicKeyDescription, _ record: TokenManifest.Key,
        _ session: borrowing Session
    ) throws(HSMError) {
        let challenge = SystemRandom.bytes(32)
        let signature = try session.sign(.ecdsa, key: privateKey, challenge, length: 64)
        guard try verifies(signature, of: challenge, publicKey, record) else { throw mismatch(record) }
    }

    /// From the manifest, or for one that is older from the token's public object.
    private func publicKey(
        _ id: [UInt8], _ record: TokenManifest.Key, _ curve: EllipticCurve, _ session: borrowing Session
    ) throws(HSMError) -> PublicKeyDescription {
        guard let text = record.publicKey else {
            return try Self.describe(try single(.publicKey, id, record, session), curve: curve, session)
        }
        guard let point = Hexadecimal.decode(text), point.count == curve.pointLength, point[0] == 4 else {
            throw HSMError(.configurationRefused, "The manifest's public key of '\(record.label)' is damaged.")
        }
        return try Self.describe(point, curve: curve, session)
    }

    /// Checked here and not by the token: not every token takes a public key that is handed to it, and none is more to
    /// be believed than the arithmetic.
    private static func verifies(
        _ signature: [UInt8], of digest: [UInt8], _ key: PublicKeyDescription, _ record: TokenManifest.Key
    ) throws(HSMError) -> Bool {
        do throws(LibCryptoError) {
            guard let curve = SigningCurve(rawValue: key.curve) else { return false }
            return try VerificationKey(curve: curve, publicKey: key.point)
                .verify(signature, digest: digest, encoding: .p1363)
        } catch {
            throw HSMError(
                .configurationRefused, "The public key of '\(record.label)' cannot be used: \(error.message)")
        }
    }

    /// Tells a key that is not the provisioned one from a device that decrypts nothing: both answer CKR_GENERAL_ERROR
    /// in SoftHSM, but only the former opens what it has just made.
    func proveSentinel(
        _ role: KeyRole, _ record: TokenManifest.Key, _ manifest: TokenManifest, _ key: ObjectHandle,
        _ session: borrowing Session
    ) throws(HSMError) {
        do throws(HSMError) {
            // A session of its own: a refusal may leave an operation active.
            let first = try Session(door: session.door, slot: session.slot, epoch: session.epoch, access: .readOnly)
            try Connection.checkSentinel(first, manifest: manifest, role: role, record: record, key: key)
        } catch {
            guard let value = error.returnValue,
                value.recovery == .inputOrDevice || error.code == .authenticationFailed || value.saysCannot
            else { throw error }
            let fresh = try Session(door: session.door, slot: session.slot, epoch: session.epoch, access: .readOnly)
            let iv = SystemRandom.bytes(Mechanism.gcmIVLength)
            if record.kind.sealsToPublicKey {
                // Under the public half of the manifest: the private half of another pair opens nothing of it.
                _ = try PublicSealing(half: try SealingHalf(record), secret: nil).isProved(by: key, session: fresh)
            } else if role.seals {
                let sealed = try GCM.encrypt([1], key: key, iv: iv, associatedData: [], session: fresh)
                _ = try GCM.decrypt(sealed, key: key, iv: iv, associatedData: [], session: fresh)
            } else {
                let sentinel = try WrappingSentinel.make(fresh, wrappingKey: key, iv: iv, context: [1])
                try WrappingSentinel.open(sentinel, session: fresh, wrappingKey: key, context: [1])
            }
            throw Self.mismatch(record)
        }
    }

    private func single(
        _ objectClass: ObjectClass, _ id: [UInt8], _ record: TokenManifest.Key, _ session: borrowing Session
    ) throws(HSMError) -> ObjectHandle {
        let found = try session.find(.search(objectClass, id: id, label: record.label))
        guard let key = found.first else {
            throw HSMError(.keyMissing, "The token no longer holds the key '\(record.label)'.")
        }
        guard found.count == 1 else {
            throw HSMError(.keyMismatch, "The token holds \(found.count) keys '\(record.label)' of one identifier.")
        }
        return key
    }

    /// The session copy of a key, or the key itself on a token that makes none: SoftHSM copies no key that cannot be
    /// modified, and that it cannot be modified is worth more than a faster root key.
    func hotCopy(of key: ObjectHandle, _ session: borrowing Session) -> ObjectHandle {
        (try? session.copy(key, .sessionCopy)) ?? key
    }

    static func mismatch(_ record: TokenManifest.Key) -> HSMError {
        HSMError(.keyMismatch, "The key '\(record.label)' is not the one that was provisioned. It is not used.")
    }

    /// Reads a public key from its object.
    static func describe(
        _ publicHandle: ObjectHandle, curve: EllipticCurve, _ session: borrowing Session
    ) throws(HSMError) -> PublicKeyDescription {
        guard let value = try session.attribute(.ecPoint, of: publicHandle),
            let point = curve.point(fromAttribute: value)
        else { throw HSMError(.deviceFailure, "The token does not show the point of a public key.") }
        return try describe(point, curve: curve, session)
    }

    static func describe(
        _ point: [UInt8], curve: EllipticCurve, _ session: borrowing Session
    ) throws(HSMError) -> PublicKeyDescription {
        let info = curve.subjectPublicKeyInfo(of: point)
        return PublicKeyDescription(
            curve: curve.name, point: point, subjectPublicKeyInfo: info,
            fingerprint: Hexadecimal.encode(try session.sha256(info)))
    }

    // MARK: Probe

    private func probe(
        _ keys: [KeyRole: Connection.RoleKey], _ keeper: borrowing Session
    ) throws(HSMError) -> Set<ResidentAlgorithm> {
        guard let wrappingKey = keys[.residentWrap] else { return [] }
        var proved: Set<ResidentAlgorithm> = []
        for algorithm in ResidentAlgorithm.allCases {
            // A session each: a refusal may leave an operation active.
            let session = try Session(door: keeper.door, slot: keeper.slot, epoch: keeper.epoch, access: .readOnly)
            if try ResidentFactory.isPossible(algorithm, session: session, wrappingKey: wrappingKey.hot) {
                proved.insert(algorithm)
            }
        }
        return proved
    }
}

import Encodings
import Token

/// Makes the keys of one instance on a read-write session.
struct Provisioner: Sendable {
    let instance: String
    let identity: TokenIdentity
    let nonces: NonceSource
    /// Attributes that keys may go without on a token that refuses them.
    let dispensed: Set<DispensableAttribute>
    /// How keys are to seal; nil for the best that the token has.
    let rootLock: RootLockMechanism?

    func run(_ session: borrowing Session) throws(HSMError) -> TokenManifest {
        guard try Self.objects(of: instance, session).isEmpty else {
            throw HSMError(.alreadyProvisioned, "The token already holds objects of the instance \(instance).")
        }
        var manifest = TokenManifest(instance: instance, token: identity, keys: [:])
        do throws(HSMError) {
            for role in KeyRole.allCases { manifest[role] = try make(role, for: manifest, session) }
            try SealingSecret.complete(&manifest, session)
        } catch {
            for object in (try? Self.objects(of: instance, session)) ?? [] { try? session.destroy(object.handle) }
            throw error
        }
        return manifest
    }

    /// Makes the role's key, of the first of its kinds that the token makes.
    ///
    /// - Parameter manifest: What was made before: all keys that seal are of one kind.
    /// - Returns: Nil for a wrapping key on a token whose other keys seal to public ones, and which makes no AES keys.
    func make(
        _ role: KeyRole, for manifest: TokenManifest, _ session: borrowing Session
    ) throws(HSMError) -> TokenManifest.Key? {
        if role.seals {
            let kinds = manifest[.rootLock].map { [$0.kind] } ?? rootLock?.kinds ?? role.kinds
            return try make(role, firstOf: kinds, session)
        }
        do throws(HSMError) {
            return try make(role, session)
        } catch {
            guard role == .residentWrap, manifest.mayLackWrapping,
                error.returnValue?.lacksMechanism(of: .aes256Wrap, in: error.cause?.function) == true
            else { throw error }
            return nil
        }
    }

    /// Makes a key that seals, of the first kind whose mechanism the token has. One that errs gets no other kind for it.
    private func make(
        _ role: KeyRole, firstOf kinds: [KeyKind], _ session: borrowing Session
    ) throws(HSMError) -> TokenManifest.Key {
        var first: HSMError?
        var others: [String] = []  // exact: ends of sentences.
        for kind in kinds {
            do throws(HSMError) {
                return try make(role, kind, session)
            } catch {
                let lacks = error.returnValue?.lacksMechanism(of: kind, in: error.cause?.function) == true
                guard first != nil || lacks else { throw error }
                if first == nil {
                    first = error
                } else {
                    others.append("\(kind.rawValue) (\(error.cause.map { "\($0)" } ?? error.message))")
                }
                // One that errs is not passed over for the next.
                if !lacks { break }
            }
        }
        guard let first else { throw HSMError(.invalidArgument, "The role '\(role.rawValue)' has no kind of key.") }
        guard !others.isEmpty else { throw first }
        throw HSMError(
            first.code, "\(first.message) Nor does it serve \(others.joined(separator: ", nor ")).", cause: first.cause)
    }

    private func make(_ role: KeyRole, _ session: borrowing Session) throws(HSMError) -> TokenManifest.Key {
        let last = role.kinds[role.kinds.count - 1]
        for kind in role.kinds.dropLast() {
            do throws(HSMError) {
                return try make(role, kind, session)
            } catch {
                // Only what the token says it cannot do: a token that errs must not get a weaker key for it.
                guard lacks(kind, otherThan: last, error, session) else { throw error }
            }
        }
        return try make(role, last, session)
    }

    /// Whether an error means that the token lacks a kind of key. Some answer as they do to a failure: then it lacks the
    /// kind if it makes the other one, and still not this one.
    private func lacks(
        _ kind: KeyKind, otherThan other: KeyKind, _ error: HSMError, _ session: borrowing Session
    ) -> Bool {
        guard error.returnValue?.mayMeanCannot == true else { return error.code == .mechanismUnsupported }
        let label = TokenManifest.labelPrefix(instance: instance) + "trial"
        func makes(_ kind: KeyKind) -> Bool {
            guard let made = try? generate(kind, id: SystemRandom.bytes(16), label: label, session).key else {
                return false
            }
            made.destroy(session)
            return true
        }
        return makes(other) && !makes(kind)
    }

    private func make(
        _ role: KeyRole, _ kind: KeyKind, _ session: borrowing Session
    ) throws(HSMError) -> TokenManifest.Key {
        let id = SystemRandom.bytes(16)
        let label = TokenManifest.label(instance: instance, role: role)
        do throws(HSMError) {
            let (key, without) = try generate(kind, id: id, label: label, session)
            var record = TokenManifest.Key(
                id: Hexadecimal.encode(id), label: label, kind: kind, fingerprint: "", sentinel: nil,
                without: without.isEmpty ? nil : without.map(\.rawValue))
            do throws(HSMError) {
                try prove(key, role, kind, &record, session)
            } catch {
                key.destroy(session)
                throw error.naming(kind)
            }
            return record
        } catch {
            throw HSMError(
                error.code, "The token makes no key for the role '\(role.rawValue)': \(error.message)",
                cause: error.cause)
        }
    }

    /// Records what the key is to be known by.
    private func prove(
        _ made: MadeKey, _ role: KeyRole, _ kind: KeyKind, _ record: inout TokenManifest.Key,
        _ session: borrowing Session
    ) throws(HSMError) {
        if kind.sealsToPublicKey, let publicKey = made.publicKey {
            let half = try SealingHalf(kind, of: publicKey, session)
            record.fingerprint = try half.fingerprint
            record.publicKey = Hexadecimal.encode(half.bytes)
            try? session.destroy(publicKey)
            // A token that opens nothing, or another thing, is found out while there is nothing to lose.
            guard try PublicSealing(half: half, secret: nil).isProved(by: made.handle, session: session) else {
                throw HSMError(.deviceFailure, "The token does not open what is sealed to a pair that it made.")
            }
            return
        }
        if let curve = kind.curve, let publicKey = made.publicKey {
            let description = try Connector.describe(publicKey, curve: curve, session)
            record.fingerprint = description.fingerprint
            record.publicKey = Hexadecimal.encode(description.point)
            try? session.destroy(publicKey)
            try Connector.prove(made.handle, description, record, session)
            return
        }
        // What is true rather than what the object says, where the key may tell.
        let computed = try CheckValue.computed(with: made.handle, session)
        let shown = try CheckValue.shown(by: made.handle, session)
        record.fingerprint = computed ?? shown ?? ""
        record.sentinel = try sentinel(role, kind, made.handle, session)
    }

    /// The role's sentinel in hexadecimal; nil for a wrapping key on a token that wraps nothing.
    func sentinel(
        _ role: KeyRole, _ kind: KeyKind, _ key: ObjectHandle, _ session: borrowing Session
    ) throws(HSMError) -> String? {
        let context = TokenManifest.sentinelContext(instance: instance, role: role)
        if kind == .aes256Seal {
            let sealed = try SealedFormat.seal(
                try WrappingSentinel.randomSecret(), session: session, key: key, iv: nonces.next(), context: context)
            // A token that seals and does not open is found out while there is nothing to lose.
            _ = try SealedFormat.open(sealed, session: session, key: key, context: context)
            return Hexadecimal.encode(sealed)
        }
        do throws(HSMError) {
            // Of its own: a refusal may leave an operation active.
            let own = try Session(door: session.door, slot: session.slot, epoch: session.epoch, access: .readWrite)
            let made = try WrappingSentinel.make(own, wrappingKey: key, iv: nonces.next(), context: context)
            try WrappingSentinel.open(made, session: own, wrappingKey: key, context: context)
            return Hexadecimal.encode(made)
        } catch {
            guard let value = error.returnValue, value.saysCannot || value.mayMeanCannot else { throw error }
            return nil
        }
    }

    /// Every object of an instance, by the prefix of its label.
    static func objects(
        of instance: String, _ session: borrowing Session
    ) throws(HSMError) -> [(handle: ObjectHandle, label: String)] {
        try labelled(TokenManifest.labelPrefix(instance: instance), session)
    }

    /// Every token object whose label begins so. One whose label cannot be read is none of ours.
    static func labelled(
        _ prefix: String, _ session: borrowing Session
    ) throws(HSMError) -> [(handle: ObjectHandle, label: String)] {
        var found: [(handle: ObjectHandle, label: String)] = []
        for handle in try session.find([.flag(.token, true)]) {
            do throws(HSMError) {
                guard let label = try session.text(.label, of: handle), label.startsExactly(with: prefix) else {
                    continue
                }
                found.append((handle, label))
            } catch {
                guard !error.isLostSession, (try? session.number(.objectClass, of: handle)) != nil else {
                    throw error
                }
            }
        }
        return found
    }
}

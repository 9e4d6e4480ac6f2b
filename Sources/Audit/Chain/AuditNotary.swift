public import Token

/// Lets the token vouch for the chain: signs its head now and then, and keeps the head where copies of the disk do not
/// reach.
///
/// A token that is away delays both and loses nothing; ``problem`` says why. Until the token was asked what it remembers,
/// and unless that is part of the chain, the chain allows nothing. A chain that was begun without a token pins no key: it is
/// never signed, and compared and remembered like any other, so that it cannot take the place of a signed one.
public actor AuditNotary {
    /// How often.
    public struct Schedule: Sendable {
        /// A checkpoint after so many records at the latest,
        public var records: UInt64 = 4_096
        /// or after this time, if there is any new record.
        public var checkpoint: Duration = .seconds(30)
        /// How often the token is asked to remember the newest head when there is no revocation. Hardware wears out.
        public var head: Duration = .seconds(600)
        /// How long after the last report a higher epoch of the database is reported to the token.
        public var storeEpoch: Duration = .seconds(10)
        /// How long an attempt that failed is left alone at most.
        public var pause: Duration = .seconds(1)

        public init() {}
    }

    /// What the chain needs of a token.
    public typealias Backend = Signing & RollbackProtectedStorage

    let chain: AuditChain
    private let token: any Backend
    private let serial: String
    let fingerprint: String
    private let schedule: Schedule
    /// What the token has been asked to remember.
    private var told: AuditHead?
    private var telling: Task<Bool, Never>?
    private var signing: Task<Void, Never>?
    /// Whether the token was told anything by this process: a start is signed and told at once, so that a copy of before it
    /// shows even if the process is killed.
    private var hasTold = false
    private var signed: UInt64
    /// What the token's counter stands at, and at the last checkpoint stood at.
    private var counter: UInt64 = 0
    private var signedCounter: UInt64
    private var lastCheckpoint = ContinuousClock.now
    private var lastTelling = ContinuousClock.now
    private var failure: HSMError?

    static let name = "audit-head"
    private static let firstPause = Duration.milliseconds(10)

    /// - Parameters:
    ///   - serial: The token's serial number, for the checkpoints.
    ///   - fingerprint: Of the audit key, as the chain pins it.
    public init(
        chain: AuditChain, token: any Backend, serial: String, fingerprint: String, schedule: Schedule = Schedule()
    ) {
        self.chain = chain
        self.token = token
        self.serial = serial
        self.fingerprint = fingerprint
        self.schedule = schedule
        let last = try? chain.lastCheckpoint()
        signed = last?.position.index ?? 0
        // Another token's counter is not this one's.
        signedCounter = (try? chain.lastCounter()) ?? 0
    }

    /// Why the token does not vouch for the chain now; nil if it does.
    public var problem: HSMError? { failure }

    /// Why the token cannot remember how far the chain has come; nil if it can, or was not asked yet. It signs all the same.
    public private(set) var forgetfulness: HSMError?

    /// Works until the task is cancelled.
    public func run() async {
        // Short at first: at a start the token is a few milliseconds away, and nothing is allowed before it was asked.
        var pause = Self.firstPause
        while !Task.isCancelled {
            if await work() {
                pause = Self.firstPause
                try? await Task.sleep(for: .milliseconds(100))
            } else {
                try? await Task.sleep(for: pause)
                pause = min(pause * 2, schedule.pause)
            }
        }
    }

    /// What is due now.
    ///
    /// - Returns: False if the token did not answer.
    public func work() async -> Bool {
        do throws(HSMError) {
            if case .unchecked = chain.standing { try await compare() }
            guard case .trusted = chain.standing else { return true }
            let head = chain.head
            if forgetfulness == nil, isToBeTold(head) {
                let isTold = await tellToken(atLeast: head.position.index)
                guard isTold || forgetfulness != nil else { return false }
            }
            let now = ContinuousClock.now
            let isDue = head.position.index - signed >= schedule.records || now - lastCheckpoint >= schedule.checkpoint
            // What the token counted is signed at once: from then on a token that counted less is an older copy of itself.
            if isSigned, counter > signedCounter || head.position.index > signed && isDue { try await checkpoint() }
            failure = nil
            return true
        } catch {
            failure = error
            return false
        }
    }

    private func isToBeTold(_ head: AuditHead) -> Bool {
        guard hasTold, let told, told.epoch >= head.epoch else { return true }
        let pause = ContinuousClock.now - lastTelling
        let isBehind =
            told.storeEpoch < head.storeEpoch
            || head.sealed.contains { name, epoch in told.sealed[name].map { $0 < epoch } ?? true }
        return isBehind && pause >= schedule.storeEpoch
            || told.position.index < head.position.index && pause >= schedule.head
    }

    /// The last checkpoint of a process, so that the next one's chain begins with nothing unsigned.
    public func finish() async {
        guard case .trusted = chain.standing else { return }
        await chain.flush()
        await tellToken(atLeast: chain.head.position.index)
        // The telling may have found that the token is not what it was.
        guard case .trusted = chain.standing else { return }
        do throws(HSMError) {
            if isSigned, chain.head.position.index > signed || counter > signedCounter { try await checkpoint() }
        } catch {
            failure = error
        }
    }

    /// Whether the chain pins an audit key.
    private var isSigned: Bool { !chain.pinnedKey.isEmpty }

    // MARK: Checkpoints

    /// Signs the head of the chain, and stores the signature with it. One at a time, so that the counter never falls from one
    /// checkpoint to the next.
    ///
    /// A chain that pins no key is never signed.
    ///
    /// - Parameter position: A record before the head to sign instead.
    public func checkpoint(of position: AuditPosition? = nil) async throws(HSMError) {
        guard isSigned else { return }
        while let signing { await signing.value }
        let task = Task { () -> HSMError? in
            do throws(HSMError) { try await self.sign(position) } catch { return error }
            return nil
        }
        signing = Task {
            _ = await task.value
            self.signing = nil
        }
        if let error = await task.value { throw error }
    }

    private func sign(_ earlier: AuditPosition?) async throws(HSMError) {
        let position = earlier ?? chain.head.position
        // What was signed behind it did not count more than this.
        let counter = position.index < signed ? signedCounter : counter
        let publicKey = try await token.publicKey(of: .audit)
        guard publicKey.fingerprint == fingerprint else {
            throw HSMError(.keyMismatch, "The token's audit key is not the one that the chain pins.")
        }
        var checkpoint = AuditCheckpoint(
            position: position, time: AuditClock.now(), token: serial, counter: counter,
            publicKey: publicKey.subjectPublicKeyInfo, signature: [])
        checkpoint.signature = try await token.sign(checkpoint.encoded, with: .audit)
        guard let key = try? AuditPublicKey(subjectPublicKeyInfo: checkpoint.publicKey),
            key.verifies(checkpoint.signature, of: checkpoint.encoded)
        else { throw HSMError(.deviceFailure, "The token made a signature that its audit key does not verify.") }
        do {
            try await chain.store(checkpoint)
        } catch {
            throw HSMError(.deviceFailure, "A checkpoint could not be stored: \(error)")
        }
        guard position.index >= signed else { return }
        signed = position.index
        signedCounter = counter
        lastCheckpoint = .now
    }

    // MARK: The token's memory

    /// Asks the token what it remembers, and settles whether the chain is trusted.
    func compare() async throws(HSMError) {
        let kept: KeptValue
        do throws(HSMError) {
            kept = try await token.keptValue(Self.name)
        } catch {
            guard Self.isForged(error) else { throw error }
            return refuse(error.message)
        }
        do {
            let signedAt = try chain.lastCounter()
            guard kept.counter >= signedAt else {
                return refuse(
                    "The token's state is an older copy: its counter stands at \(kept.counter), and at \(signedAt) when "
                        + "the audit chain was last signed.")
            }
            counter = kept.counter
            guard let value = kept.value else { return chain.settle(.trusted) }
            guard let remembered = AuditHead(encoded: value) else {
                return refuse("What the token keeps of the audit chain does not have the form it was given.")
            }
            told = remembered
            if let difference = try await chain.difference(from: remembered) {
                refuse(difference)
            } else {
                chain.settle(.trusted)
            }
        } catch {
            throw HSMError(.deviceFailure, "The audit chain could not be compared with the token: \(error)")
        }
    }

    private func refuse(_ reason: String) {
        chain.settle(.refused(reason + " Nothing is allowed until `kmsd audit adopt`."))
    }

    /// Whether somebody else wrote, removed or put back what the token keeps; no other error is about that.
    private static func isForged(_ error: HSMError) -> Bool { error.code == .keptValueMismatch }

    /// Makes the token keep a head at or behind `index`. Calls that come together share a write.
    ///
    /// - Returns: False if the token did not take it; it is tried again later.
    @discardableResult
    func tellToken(atLeast index: UInt64) async -> Bool {
        guard case .trusted = chain.standing, forgetfulness == nil else { return false }
        while (told?.position.index ?? 0) < index {
            if let telling {
                guard await telling.value else { return false }
                continue
            }
            let head = chain.head
            let task = Task { await self.keep(head) }
            telling = task
            let succeeded = await task.value
            guard succeeded else { return false }
        }
        return true
    }

    private func keep(_ head: AuditHead) async -> Bool {
        defer { telling = nil }
        do throws(HSMError) {
            counter = try await token.keep(head.encoded, as: Self.name)
            told = head
            hasTold = true
            lastTelling = .now
            failure = nil
            return true
        } catch {
            if Self.isForged(error) { refuse(error.message) }
            if error.code == .mechanismUnsupported { forgetfulness = error } else { failure = error }
            return false
        }
    }

    /// The head that a token remembers, nil if it remembers none, and how often it was told one.
    ///
    /// - Throws: `HSMError`, with `.deviceFailure` for something that is no head.
    public static func remembered(
        by token: any RollbackProtectedStorage
    ) async throws(HSMError) -> (head: AuditHead?, counter: UInt64) {
        let kept = try await token.keptValue(name)
        guard let value = kept.value else { return (nil, kept.counter) }
        guard let head = AuditHead(encoded: value) else {
            throw HSMError(
                .deviceFailure, "What the token keeps of the audit chain does not have the form it was given.")
        }
        return (head, kept.counter)
    }

    /// Takes the chain as it is for the one to go on with, whatever the token remembers, and records that with both heads.
    /// For an operator who knows why. What the token remembers of the databases is told in the chain from now on, so no older
    /// database is accepted with it.
    ///
    /// - Parameter details: What the operator was shown.
    /// - Throws: `HSMError`, `AuditError`.
    // exact: the names are this program's own, in ASCII.
    public func adopt(by actor: String, details: [String: String] = [:]) async throws {
        // What cannot be read is what the operator gives up.
        if let remembered = try? await Self.remembered(by: token).head { chain.writer.carry(remembered) }
        _ = try await chain.recordDone(AuditStart.adoption(by: actor, details))
        let head = chain.head
        counter = try await token.keepAnew(head.encoded, as: Self.name)
        signedCounter = 0
        told = head
        chain.settle(.trusted)
    }
}

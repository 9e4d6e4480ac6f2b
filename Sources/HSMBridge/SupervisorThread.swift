import Token

/// The body of the supervisor's thread, and what only that thread touches.
struct SupervisorThread: ~Copyable {
    private let supervisor: Supervisor
    private var module: Module?
    private var connection: Connection?
    private var writer: OwnedSession?
    private var generation: UInt64 = 0
    private var nextInitialisation: ContinuousClock.Instant?
    private var disturbance: Duration = Self.shortestDisturbance

    /// How often a token that is away may make others on its module connect again: soon at first, then ever more
    /// seldom.
    private static let shortestDisturbance: Duration = .milliseconds(250)
    private static let longestDisturbance: Duration = .seconds(10)

    init(supervisor: Supervisor) { self.supervisor = supervisor }

    consuming func run() {
        var isOver = false
        while !isOver {
            switch supervisor.nextStep() {
            case .connect(let depth): connect(depth)
            case .check: check()
            case .write(let job): write(job)
            case .stop: isOver = true
            }
        }
        supervisor.drain()
        disconnect()
        module?.detach(user: user)
        module = nil
        supervisor.ended()
    }

    private var user: ObjectIdentifier { ObjectIdentifier(supervisor) }

    private mutating func disconnect() {
        writer = nil
        connection = nil
        module?.setServing(false, user: user)
    }

    // MARK: Connecting

    private mutating func connect(_ depth: LoginState.Depth) {
        // The previous connection stays until the new one holds a session: a token logs out with its last session.
        let previous = connection
        if depth == .full { disconnect() }
        writer = nil
        do throws(HSMError) {
            let fresh = try attempt(depth)
            connection = fresh
            module?.setServing(true, user: user)
            disturbance = Self.shortestDisturbance
            supervisor.succeed(fresh)
        } catch {
            disconnect()
            supervisor.fail(error)
        }
        _ = consume previous
    }

    private mutating func attempt(_ depth: LoginState.Depth) throws(HSMError) -> Connection {
        guard let path = supervisor.configuration.uri.modulePath else {
            throw HSMError(.configurationRefused, "The token URI has no 'module-path'.")
        }
        let module: Module
        if let attached = self.module {
            module = attached
        } else {
            module = try Module.attach(
                path, initialisation: supervisor.configuration.moduleInitialisation, user: user)
        }
        self.module = module
        var isFresh = false
        if depth == .full { isFresh = try initialiseAgain(module) }
        do throws(HSMError) {
            return try connectOnce(module)
        } catch {
            // A token that appeared after C_Initialize is invisible until the next one.
            guard error.code == .tokenNotFound || error.code == .tokenMismatch, !isFresh, try initialiseAgain(module)
            else { throw error }
            return try connectOnce(module)
        }
    }

    private mutating func connectOnce(_ module: Module) throws(HSMError) -> Connection {
        generation += 1
        let (manifest, probed) = supervisor.expectations()
        let connector = Connector(configuration: supervisor.configuration)
        let (door, generation) = (supervisor.makeDoor(module), generation)
        let result = module.undisturbed { () -> Result<Connection, HSMError> in
            do throws(HSMError) {
                return .success(
                    try connector.connect(door: door, manifest: manifest, generation: generation, probed: probed))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// - Returns: False if it was not done because it would disturb others too often.
    private mutating func initialiseAgain(_ module: Module) throws(HSMError) -> Bool {
        let now = ContinuousClock.now
        if module.servesOthers(than: user) {
            if let next = nextInitialisation, now < next { return false }
            nextInitialisation = now + disturbance
            disturbance = min(disturbance * 2, Self.longestDisturbance)
        }
        try module.reinitialise(patience: .seconds(2))
        return true
    }

    // MARK: Checking

    /// C_GetTokenInfo shows a vanished token directory, the sentinels a vanished or exchanged key; session copies
    /// would go on working after either.
    private mutating func check() {
        guard let connection else { return supervisor.checked() }
        guard connection.isCurrentEpoch else { return supervisor.renew(generation: connection.generation) }
        do throws(HSMError) {
            let identity = try TokenSearch.identity(of: connection.slot, door: connection.door, epoch: connection.epoch)
            guard identity == connection.identity else {
                throw HSMError(.tokenMismatch, "The slot now holds the token '\(identity.label)' \(identity.serial).")
            }
            try connection.checkSentinels(try session(connection).session)
            supervisor.checked()
        } catch {
            writer = nil
            guard connection.isCurrentEpoch else { return supervisor.renew(generation: connection.generation) }
            lose(error, connection)
        }
    }

    private mutating func session(_ connection: Connection) throws(HSMError) -> OwnedSession {
        if let writer, writer.generation == connection.generation { return writer }
        writer = nil
        let opened = OwnedSession(try connection.openSession(.readWrite), generation: connection.generation)
        writer = opened
        return opened
    }

    private func lose(_ error: HSMError, _ connection: Connection) {
        let loss = error.cause == nil ? error : HSMError.outOfReach(error)
        supervisor.lose(loss, generation: connection.generation)
    }

    // MARK: Writing

    private enum WriteOutcome {
        case notStarted
        case ended(HSMError?)
    }

    private mutating func write(_ job: Job) {
        guard let connection else { return job.reject(WorkQueue.stoppedError) }
        let outcome = connection.door.module.undisturbed { () -> WriteOutcome in
            guard connection.isCurrentEpoch else { return .notStarted }
            do throws(HSMError) {
                return .ended(job.attempt(try session(connection).session, connection))
            } catch {
                return .ended(error)
            }
        }
        guard case .ended(let failure) = outcome else {
            // The module was initialised again: the job waits for the next connection.
            supervisor.renew(generation: connection.generation)
            return supervisor.enqueue(job)
        }
        guard let failure else { return }
        writer = nil
        // What this thread does is not repeated as a whole: parts of it may have happened.
        switch RecoveryPolicy.decide(failure, attempts: RecoveryPolicy.attemptLimit) {
        case .lost(let loss): supervisor.lose(loss, generation: connection.generation)
        case .retry, .renew, .fail, .askSentinel:
            if let value = failure.returnValue, [.reLogin, .reResolve].contains(value.recovery) {
                supervisor.renew(generation: connection.generation)
            }
            if !connection.isCurrentEpoch { supervisor.renew(generation: connection.generation) }
        }
        job.reject(failure)
    }
}

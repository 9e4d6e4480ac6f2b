import CP11Kit
import Encodings
import Glibc
import SecretMemory
import Synchronization
import Token

/// A loaded and initialised PKCS #11 module, shared by all tokens on it.
///
/// Loaded through p11-kit in managed mode, so that another user of p11-kit in the process is not disturbed by our
/// C_Finalize. ``perform(epoch:_:)`` is the only way to the function table; ``CallDoor`` is its only caller.
///
/// - Concurrency: calls run concurrently; initialising again waits for all calls to end and lets none in.
final class Module: Sendable {
    let path: String
    /// Where its initialisation string comes from; nil if it is given none.
    let initialisation: PINSource?
    /// That string, NUL at its end: for every C_Initialize. Nobody prints it, for it may hold a password.
    private let reserved: SharedSecret?

    // nonisolated(unsafe): written once before the object is published; the table itself never changes after loading
    // (p11-kit keeps the same table across C_Finalize and C_Initialize of one module).
    private nonisolated(unsafe) let functions: UnsafeMutablePointer<CK_FUNCTION_LIST>
    private let gate = ReadWriteGate()
    private let leases = ReadWriteGate()
    private let state = Mutex(State())

    /// The epoch while the module is initialised, else 0. Changed only with the gate held alone.
    private let liveEpoch = Atomic<UInt64>(1)

    private struct State {
        /// Counts C_Initialize. Sessions and handles of an earlier epoch are gone.
        var epoch: UInt64 = 1
        /// False after a failed C_Initialize, until one succeeds.
        var isInitialised = true
        /// Tokens that hold this module; true while they serve requests.
        var users: [ObjectIdentifier: Bool] = [:]
    }

    private init(
        path: String, initialisation: PINSource?, reserved: SharedSecret?,
        functions: UnsafeMutablePointer<CK_FUNCTION_LIST>
    ) {
        self.path = path
        self.initialisation = initialisation
        self.reserved = reserved
        self.functions = functions
    }

    // MARK: Registry

    private static let registry = Mutex<[ExactText: Module]>([:])

    /// The module at `path`, loaded and initialised at its first use in the process.
    ///
    /// - Parameter initialisation: Holds the string that the module is given at C_Initialize.
    /// - Throws: `.moduleRefused` for a path that may not be loaded or a file that is no working module;
    ///   `.pinSourceRefused` if the string cannot be read.
    /// - Concurrency: blocks on files; call it off the cooperative pool.
    static func attach(
        _ path: String, initialisation: PINSource? = nil, user: ObjectIdentifier
    ) throws(HSMError) -> Module {
        let canonical = try ModulePath.validated(path)
        // A result, not a throw: the closure of `withLock` has one error type and loading must stay inside the lock.
        let result = registry.withLock { modules -> Result<Module, HSMError> in
            if let module = modules[ExactText(canonical)] {
                guard module.initialisation == initialisation else {
                    return .failure(
                        HSMError(
                            .moduleRefused,
                            "The module '\(path)' is in use in this process with another token-module-init-file."))
                }
                module.state.withLock { $0.users[user] = $0.users[user] ?? false }
                return .success(module)
            }
            do throws(HSMError) {
                let module = try load(canonical, initialisation)
                module.state.withLock { $0.users[user] = false }
                modules[ExactText(canonical)] = module
                return .success(module)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private static func load(_ path: String, _ initialisation: PINSource?) throws(HSMError) -> Module {
        let reserved = try initialisation.map { source throws(HSMError) in try source.loadInitialisation() }
        guard let functions = p11_kit_module_load(path, Int32(P11_KIT_MODULE_CRITICAL)) else {
            let reason = p11_kit_message().map { String(cString: $0) } ?? "no reason given"
            throw HSMError(.moduleRefused, "The module '\(path)' cannot be loaded: \(reason).")
        }
        // p11-kit can print every call with its arguments, the PIN of C_Login among them, to standard error.
        for scope in [functions, nil] {
            guard let value = p11_kit_config_option(scope, "log-calls") else { continue }
            defer { free(value) }
            guard String(cString: value) != "yes" else {
                p11_kit_module_release(functions)
                throw HSMError(
                    .moduleRefused, "p11-kit is configured with 'log-calls: yes', which prints PINs. Switch it off.")
            }
        }
        let value = initialise(functions, reserved)
        guard value == .ok else {
            p11_kit_module_release(functions)
            throw notInitialised(path, value, isToldSomething: reserved != nil)
        }
        return Module(path: path, initialisation: initialisation, reserved: reserved, functions: functions)
    }

    /// Gives the module up. The last user's detaching finalises and unloads it: SoftHSM beside OpenSSL must not be left
    /// to exit handlers, whose order is undefined.
    func detach(user: ObjectIdentifier) {
        Self.registry.withLock { modules in
            let isLast = state.withLock { state in
                state.users[user] != nil && state.users.removeValue(forKey: user) != nil && state.users.isEmpty
            }
            guard isLast else { return }
            modules[ExactText(path)] = nil
            // A call that never returns keeps the library loaded; its sessions die with the process.
            gate.exclusive(patience: .seconds(2)) {
                finalise()
                p11_kit_module_release(functions)
            }
        }
    }

    // MARK: Calls

    var epoch: UInt64 { state.withLock { $0.epoch } }

    /// Runs one call; nil if sessions of `epoch` no longer exist, in which case nothing was called.
    @inline(__always)
    func perform(epoch: UInt64, _ body: (UnsafeMutablePointer<CK_FUNCTION_LIST>) -> CK_RV) -> CK_RV? {
        gate.shared {
            guard liveEpoch.load(ordering: .acquiring) == epoch else { return nil }
            return body(functions)
        }
    }

    // MARK: Initialising again

    /// Runs work of many calls that cannot simply be repeated; no other user initialises the module again meanwhile.
    /// Not reentrant, and never around ``reinitialise(patience:)``.
    func undisturbed<R>(_ body: () -> R) -> R { leases.shared(body) }

    /// Marks whether a user serves requests, and so would be disturbed by another one's ``reinitialise(for:)``.
    func setServing(_ isServing: Bool, user: ObjectIdentifier) {
        state.withLock { $0.users[user] = isServing }
    }

    /// Whether any other user serves requests.
    func servesOthers(than user: ObjectIdentifier) -> Bool {
        state.withLock { $0.users.contains { $0.key != user && $0.value } }
    }

    /// Full C_Finalize and C_Initialize: the only way to see a token that appeared since, and to leave a broken state.
    ///
    /// Other users find their epoch over and connect again; their requests wait meanwhile.
    ///
    /// - Throws: `.tokenUnavailable` if a call does not end within `patience`, or if C_Initialize fails.
    func reinitialise(patience: Duration) throws(HSMError) {
        let outcome = leases.exclusive(patience: patience) {
            gate.exclusive(patience: patience) { () -> ReturnValue in
                finalise()
                let value = Self.initialise(functions, reserved)
                let epoch = state.withLock { state in
                    state.isInitialised = value == .ok
                    return state.epoch
                }
                if value == .ok { liveEpoch.store(epoch, ordering: .releasing) }
                return value
            }
        }
        guard let outcome = outcome ?? nil else {
            throw HSMError(.tokenUnavailable, "A call into the module '\(path)' does not return.")
        }
        guard outcome == .ok else {
            throw HSMError(
                .tokenUnavailable, "The module '\(path)' cannot be initialised again.",
                cause: HSMError.Cause(outcome, function: "C_Initialize"))
        }
    }

    /// Ends every session of the module; the caller lets no call in.
    private func finalise() {
        let wasInitialised = state.withLock { state in
            state.epoch += 1
            defer { state.isInitialised = false }
            return state.isInitialised
        }
        liveEpoch.store(0, ordering: .releasing)
        if wasInitialised { p11_kit_module_finalize(functions) }
    }

    // MARK: PIN guard

    private struct Refused: Hashable {
        let module: ExactText
        let token: TokenIdentity
    }

    /// Tokens that refused their PIN; kept for the life of the process. By all that they say of themselves: some vendors
    /// give every token the same serial number.
    private static let refusedPINs = Mutex<Set<Refused>>([])

    /// Runs a login, one at a time in the process; nil, and nothing run, for a token that once refused its PIN, whoever
    /// asks: some tokens lock or erase themselves after a few wrong PINs.
    func login(token: TokenIdentity, _ body: () -> ReturnValue) -> ReturnValue? {
        let key = Refused(module: ExactText(path), token: token)
        return Self.refusedPINs.withLock { refused in
            guard !refused.contains(key) else { return nil }
            let value = body()
            if value.refusesPIN { refused.insert(key) }
            return value
        }
    }
}

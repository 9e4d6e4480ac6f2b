public import Token
import Workers

/// The tokens a module shows, whoever they belong to.
public enum TokenInventory {
    private final class User: Sendable {}

    /// Loads the module, asks every slot that holds an initialised token, and gives the module up again.
    ///
    /// - Parameters:
    ///   - initialisation: Holds the string that the module wants at C_Initialize.
    ///   - timeout: How long the module may take to answer.
    /// - Throws: `.moduleRefused` for a path that may not be loaded or a file that is no working module, `.tokenUnavailable` if it
    ///   does not answer.
    /// - Concurrency: the calls run on a thread of their own, which is left behind if it hangs in the module.
    public static func tokens(
        inModule path: String, initialisation: PINSource? = nil, timeout: Duration = .seconds(10)
    ) async throws(HSMError) -> [TokenIdentity] {
        try await ask(path, initialisation, timeout) { door throws(HSMError) in try TokenSearch.all(door) }
    }

    /// The one token that `uri` names. Needs no PIN.
    ///
    /// - Throws: `.tokenNotFound`, `.tokenMismatch` if several match, and what ``tokens(inModule:)`` throws.
    public static func token(
        matching uri: TokenURI, initialisation: PINSource? = nil, timeout: Duration = .seconds(10)
    ) async throws(HSMError) -> TokenIdentity {
        let found = try await ask(uri.modulePath ?? "", initialisation, timeout) { door throws(HSMError) in
            [try TokenSearch.find(door: door, uri: uri, manifest: nil).identity]
        }
        return found[0]
    }

    private typealias Question = @Sendable (CallDoor) throws(HSMError) -> [TokenIdentity]

    private static func ask(
        _ path: String, _ initialisation: PINSource?, _ timeout: Duration, _ question: @escaping Question
    ) async throws(HSMError) -> [TokenIdentity] {
        typealias Outcome = Result<[TokenIdentity], HSMError>
        let outcome = await withUnsafeContinuation { (continuation: UnsafeContinuation<Outcome, Never>) in
            let answer = OneShot(continuation)
            let hasStarted = WorkerThread.start { answer.deliver(read(path, initialisation, question)) }
            if !hasStarted { answer.deliver(.failure(HSMError(.overloaded, "The system has no more threads."))) }
            // Nobody can end a call into a module that waits for something which is silent.
            Task {
                try? await Task.sleep(for: timeout)
                answer.deliver(
                    .failure(
                        HSMError(
                            .tokenUnavailable,
                            "The module does not answer; see whether what it asks (a device, a server) still does.")))
            }
        }
        return try outcome.get()
    }

    private static func read(
        _ path: String, _ initialisation: PINSource?, _ question: Question
    ) -> Result<[TokenIdentity], HSMError> {
        let user = User()
        do throws(HSMError) {
            let module = try Module.attach(path, initialisation: initialisation, user: ObjectIdentifier(user))
            defer { module.detach(user: ObjectIdentifier(user)) }
            return .success(try question(CallDoor(module: module, observer: SilentObserver(), faults: nil)))
        } catch {
            return .failure(error)
        }
    }
}

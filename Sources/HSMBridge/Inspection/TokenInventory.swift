public import Token
import Workers

/// The tokens a module shows, whoever they belong to.
public enum TokenInventory {
    private final class User: Sendable {}

    /// Loads the module, asks every slot that holds an initialised token, and gives the module up again.
    ///
    /// - Parameter initialisation: Holds the string that the module wants at C_Initialize.
    /// - Throws: `.moduleRefused` for a path that may not be loaded or a file that is no working module.
    /// - Concurrency: the calls run on a thread of their own.
    public static func tokens(
        inModule path: String, initialisation: PINSource? = nil
    ) async throws(HSMError) -> [TokenIdentity] {
        try await ask(path, initialisation) { door throws(HSMError) in try TokenSearch.all(door) }
    }

    /// The one token that `uri` names. Needs no PIN.
    ///
    /// - Throws: `.tokenNotFound`, `.tokenMismatch` if several match, and what ``tokens(inModule:)`` throws.
    public static func token(
        matching uri: TokenURI, initialisation: PINSource? = nil
    ) async throws(HSMError) -> TokenIdentity {
        let found = try await ask(uri.modulePath ?? "", initialisation) { door throws(HSMError) in
            [try TokenSearch.find(door: door, uri: uri, manifest: nil).identity]
        }
        return found[0]
    }

    private typealias Question = @Sendable (CallDoor) throws(HSMError) -> [TokenIdentity]

    private static func ask(
        _ path: String, _ initialisation: PINSource?, _ question: @escaping Question
    ) async throws(HSMError) -> [TokenIdentity] {
        typealias Outcome = Result<[TokenIdentity], HSMError>
        let outcome = await withUnsafeContinuation { (continuation: UnsafeContinuation<Outcome, Never>) in
            let hasStarted = WorkerThread.start { continuation.resume(returning: read(path, initialisation, question)) }
            if !hasStarted {
                continuation.resume(returning: .failure(HSMError(.overloaded, "The system has no more threads.")))
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

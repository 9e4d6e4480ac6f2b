import Encodings
import Token

/// One of the two tokens of a copy, logged in. Used by one thread.
///
/// What it makes for the copy itself (transport keys, arrivals that are not proved yet) are session objects, which end with
/// the process, however it ends. On a token that makes none they are token objects with the label ``mark``, by which the next
/// run finds and removes them.
final class CopySide {
    enum Role: String {
        case source, target
    }

    /// The label of everything that must not stay, whole: what only begins so is somebody's own, and is not removed.
    static let mark = "kmsd-copy/transit"

    let role: Role
    let identity: TokenIdentity
    let slot: UInt
    /// Holds the login and the session objects. Only calls that are complete in themselves go through it: an operation that
    /// fails half way would stay active on it.
    let keeper: Session
    private let access: Session.Access
    private let pinSource: PINSource
    private var scratch: [ObjectHandle] = []

    /// Finds the token; sends no PIN.
    ///
    /// - Parameter access: `.readOnly` for a rehearsal: the token itself then refuses every token object.
    /// - Throws: `.tokenNotFound`, `.tokenMismatch` if several match, or what the module said; each names the role.
    init(_ endpoint: TokenCopy.Endpoint, _ role: Role, door: CallDoor, access: Session.Access) throws(HSMError) {
        self.role = role
        self.access = access
        do throws(HSMError) {
            let found = try TokenSearch.find(door: door, uri: endpoint.uri, manifest: nil)
            identity = found.identity
            slot = UInt(found.slot)
            keeper = try Session(door: door, slot: found.slot, epoch: found.epoch, access: access)
            pinSource = endpoint.pinSource
        } catch {
            throw error.at(role)
        }
    }

    /// Logs in, once: a PIN that the token refuses is never sent again.
    ///
    /// - Throws: `.pinSourceRefused`, `.pinRefused`, or what the module said.
    func login() throws(HSMError) {
        let (identity, pinSource) = (identity, pinSource)
        try keep { session throws(HSMError) in
            try Connector.login(session, token: identity, pinSource: pinSource)
        }
    }

    /// Runs operations on a session of their own, which is dropped whatever became of them.
    func use<R>(_ body: (borrowing Session) throws(HSMError) -> R) throws(HSMError) -> R {
        do throws(HSMError) {
            let session = try Session(door: keeper.door, slot: keeper.slot, epoch: keeper.epoch, access: access)
            return try body(session)
        } catch {
            throw error.at(role)
        }
    }

    /// Runs calls that are complete in themselves on the session that keeps what they make.
    func keep<R>(_ body: (borrowing Session) throws(HSMError) -> R) throws(HSMError) -> R {
        do throws(HSMError) { return try body(keeper) } catch { throw error.at(role) }
    }

    /// Makes an object that must not stay.
    ///
    /// - Parameter template: Without CKA_TOKEN, CKA_LABEL and CKA_ID, which are added here.
    func makeScratch(
        _ template: KeyTemplate, _ make: (borrowing Session, KeyTemplate) throws(HSMError) -> ObjectHandle
    ) throws(HSMError) -> ObjectHandle {
        let hasID = !template.attributes.contains(.objectClass(.data))
        let names: [Attribute] =
            [.label(Self.mark)] + (hasID ? [.bytes(.id, SystemRandom.bytes(16))] : [])
        do throws(HSMError) {
            return remember(
                try keep { session throws(HSMError) in
                    try make(session, template + names + [.flag(.token, false)])
                })
        } catch {
            // A rehearsal writes nothing, so there is no second way.
            guard access == .readWrite, error.mayMeanRefusal else { throw error }
            let refusal = error
            do throws(HSMError) {
                return remember(
                    try keep { session throws(HSMError) in
                        try make(session, template + names + [.flag(.token, true)])
                    })
            } catch {
                throw error.mayMeanRefusal ? refusal : error
            }
        }
    }

    /// Takes over a second object that a call made, such as the public half of a pair.
    @discardableResult
    func remember(_ object: ObjectHandle) -> ObjectHandle {
        scratch.append(object)
        return object
    }

    /// Destroys objects that must not stay; what cannot be destroyed dies with the session, or by the next run.
    func discard(_ objects: ObjectHandle...) {
        for object in objects {
            try? keeper.destroy(object)
            scratch.removeAll { $0 == object }
        }
    }

    func discardAll() {
        for object in scratch { try? keeper.destroy(object) }
        scratch = []
    }

    /// - Throws: `.tokenUnavailable` if the token is not there any more, or another one is.
    func checkPresence() throws(HSMError) {
        let (slot, door, epoch) = (keeper.slot, keeper.door, keeper.epoch)
        guard let now = try? TokenSearch.identity(of: slot, door: door, epoch: epoch), now == identity else {
            throw HSMError(.tokenUnavailable, "The token is out of reach.").at(role)
        }
    }

    /// What an interrupted copy left. Asked before anything is made, so whatever bears the mark is not this copy's; without
    /// CKA_TOKEN, which a copy of a session object that was interrupted may still deny.
    func leftovers() throws(HSMError) -> [ObjectHandle] {
        try use { session throws(HSMError) in
            let mark = Array(Self.mark.utf8)
            var found: [ObjectHandle] = []
            for handle in try session.find([]) {
                if let label = try? session.attribute(.label, of: handle), label == mark {
                    found.append(handle)
                }
            }
            return found
        }
    }
}

extension HSMError {
    /// The error with the token that it is about.
    func at(_ role: CopySide.Role) -> HSMError {
        HSMError(code, "\(role == .source ? "Source" : "Target"): \(message)", cause: cause)
    }

    /// Whether a token may have said that it does not do this, in this or in another form.
    var mayMeanRefusal: Bool {
        code == .mechanismUnsupported || code == .invalidArgument || code == .inputTooLong
            || returnValue.map { $0.saysCannot || $0.mayMeanCannot } == true
    }
}

import EnclaveLock
import WorkingKeys

/// A key ready for use, and until when.
final class OpenedKey: Sendable {
    enum Body: Sendable {
        case sealed(WorkingKey)
        case resident(ResidentKey)
    }

    let type: KeyType
    let body: Body
    /// In the type's export form, computed from the opened key; nil for symmetric keys.
    let publicKey: [UInt8]?
    let expires: ContinuousClock.Instant
    /// With whose share the keystore was opened; nil if it needs none.
    private let caller: CallerShare?

    init(
        type: KeyType, body: Body, publicKey: [UInt8]?, expires: ContinuousClock.Instant, caller: CallerShare? = nil
    ) {
        self.type = type
        self.body = body
        self.publicKey = publicKey
        self.expires = expires
        self.caller = caller
    }

    /// Whether a request may use the key without opening the keystore: always, or if it presents the same share.
    func isOpen(to presented: @autoclosure () -> CallerShare?) -> Bool {
        guard let caller else { return true }
        return caller.matches(presented())
    }
}

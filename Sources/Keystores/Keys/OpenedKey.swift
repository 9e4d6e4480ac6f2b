import EnclaveLock
import Token
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
    /// Whose keystore it is in.
    let tenant: TokenTenant
    /// With whose share the keystore was opened; nil if it needs none.
    private let caller: CallerShare?

    init(
        type: KeyType, body: Body, publicKey: [UInt8]?, expires: ContinuousClock.Instant,
        tenant: TokenTenant = .daemon, caller: CallerShare? = nil
    ) {
        self.type = type
        self.body = body
        self.publicKey = publicKey
        self.expires = expires
        self.tenant = tenant
        self.caller = caller
    }

    /// Whether a use goes through a queue that tenants share.
    var waitsInTurn: Bool {
        if case .resident = body { return true }
        return type == .bls12381G2
    }

    /// Whether a user's share opened the keystore.
    func isOpened(by user: String) -> Bool { caller?.user.utf8.elementsEqual(user.utf8) == true }

    /// Whether a request may use the key without opening the keystore: always, or if it presents the same share.
    func isOpen(to presented: @autoclosure () -> CallerShare?) -> Bool {
        guard let caller else { return true }
        return caller.matches(presented())
    }
}

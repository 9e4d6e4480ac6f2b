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

    init(type: KeyType, body: Body, publicKey: [UInt8]?, expires: ContinuousClock.Instant) {
        self.type = type
        self.body = body
        self.publicKey = publicKey
        self.expires = expires
    }
}

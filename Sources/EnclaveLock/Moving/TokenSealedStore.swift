public import SecretMemory
public import Token

/// A secret that a key of a token seals, as a store has it.
public struct TokenSealedSecret: Sendable {
    /// Its name in its store; public, never another one's.
    public var name: String
    /// The key that sealed it; the key of the same role on another token seals its form for that.
    public var role: KeyRole
    /// What the token made of it.
    public var sealed: [UInt8]
    /// What it is bound to: the context to open it with.
    public var context: [UInt8]
    /// What its form for another token is bound to.
    public var targetContext: [UInt8]
    /// The rest of the row that such a form is made from.
    public var content: [UInt8]

    /// - Parameter targetContext: Nil if both forms are bound to the same.
    public init(
        name: String, role: KeyRole = .rootLock, sealed: [UInt8], context: [UInt8], targetContext: [UInt8]? = nil,
        content: [UInt8] = []
    ) {
        self.name = name
        self.role = role
        self.sealed = sealed
        self.context = context
        self.targetContext = targetContext ?? context
        self.content = content
    }
}

/// Records of one kind that depend on a token, and how the form of each for another token takes its place.
///
/// - Concurrency: any number of calls at once; nothing blocks the caller's thread.
public protocol TokenSealedStore: Sendable {
    /// In plural, such as `keystores`.
    var kind: String { get }

    /// The next records that the token seals, in an order that does not change.
    ///
    /// - Parameter after: What the page before ended with; nil for the first.
    /// - Returns: What the page ended with; nil behind the last record. A page may be empty.
    func page(after: String?) async throws -> (secrets: [TokenSealedSecret], end: String?)

    /// What takes the record's place, from what another token made of the secret.
    ///
    /// - Throws: also if the record was changed meanwhile, or is damaged.
    func form(of secret: TokenSealedSecret, opened: SharedSecret, sealed: [UInt8]) async throws -> [UInt8]

    /// What the other token made, in a form.
    func sealed(inForm form: [UInt8]) throws -> [UInt8]

    /// Whether everything else in a form is as ``form(of:opened:sealed:)`` makes it.
    func accepts(_ form: [UInt8], of secret: TokenSealedSecret, opened: SharedSecret) async throws -> Bool

    /// Lets a form take the record's place, in one transaction, if that is still the record.
    ///
    /// - Returns: Whether it was.
    func put(_ form: [UInt8], insteadOf secret: TokenSealedSecret) async throws -> Bool
}

extension TokenSealedStore {
    public func form(of _: TokenSealedSecret, opened _: SharedSecret, sealed: [UInt8]) async throws -> [UInt8] {
        sealed
    }
    public func sealed(inForm form: [UInt8]) throws -> [UInt8] { form }
    public func accepts(_: [UInt8], of _: TokenSealedSecret, opened _: SharedSecret) async throws -> Bool { true }
}

import SecretMemory

/// The members of one kind of body, by name.
protocol BodyMember: RawRepresentable<Int>, CaseIterable, Sendable {
    /// As the API writes it, in lower case where the case of names does not count.
    var name: StaticString { get }
    /// As the API's first generation writes it.
    var firstName: StaticString { get }
    /// Of every member, in the order of the cases; made once.
    static var names: [StaticString] { get }
}

extension BodyMember {
    var firstName: StaticString { name }
    static var allNames: [StaticString] { allCases.map(\.name) }
    static var allFirstNames: [StaticString] { allCases.map(\.firstName) }
}

/// A body's members, typed on demand and asked for by name; ``JSONMembers`` says how each is read.
///
/// - Concurrency: a value; the bytes must outlive it.
struct JSONBody<Key: BodyMember> {
    private let members: JSONMembers

    /// - Parameters:
    ///   - names: As this generation of the API writes them.
    ///   - exactly: Whether a name in another case is refused instead of accepted.
    init(
        _ bytes: UnsafeRawBufferPointer, names: [StaticString] = Key.names, exactly: Bool = false
    ) throws(JSONError) {
        members = try JSONMembers(bytes, names, exactly: exactly)
    }

    private init(_ members: JSONMembers) { self.members = members }

    func isPresent(_ key: Key) -> Bool { members.isPresent(key.rawValue) }

    func text(_ key: Key) throws(JSONError) -> String { try members.text(key.rawValue) }
    func optionalText(_ key: Key) throws(JSONError) -> String? { try members.optionalText(key.rawValue) }
    func optionalTexts(_ key: Key) throws(JSONError) -> [String]? { try members.optionalTexts(key.rawValue) }
    func requireStringsOrNothing(_ key: Key) throws(JSONError) { try members.requireStringsOrNothing(key.rawValue) }

    func bytes(_ key: Key) throws(JSONError) -> [UInt8] { try members.bytes(key.rawValue) }
    func nullableBytes(_ key: Key) throws(JSONError) -> [UInt8] { try members.nullableBytes(key.rawValue) }
    func optionalBytes(_ key: Key) throws(JSONError) -> [UInt8]? { try members.optionalBytes(key.rawValue) }

    func byteStrings(_ key: Key, limit: Int) throws(JSONError) -> [[UInt8]] {
        try members.byteStrings(key.rawValue, limit: limit)
    }

    func integers(_ key: Key, limit: Int) throws(JSONError) -> [Int] {
        try members.integers(key.rawValue, limit: limit)
    }

    func optionalInteger<Number: FixedWidthInteger>(_ key: Key, as type: Number.Type) throws(JSONError) -> Number? {
        try members.optionalInteger(key.rawValue, as: type)
    }

    func flag(_ key: Key) throws(JSONError) -> Bool { try members.flag(key.rawValue) }
    func optionalFlag(_ key: Key) throws(JSONError) -> Bool? { try members.optionalFlag(key.rawValue) }

    func object<Inner: BodyMember>(_ key: Key, _ type: Inner.Type) throws(JSONError) -> JSONBody<Inner>? {
        try members.optionalObject(key.rawValue, Inner.names).map { JSONBody<Inner>($0) }
    }

    func optionalObjectText(_ key: Key) throws(JSONError) -> [UInt8]? { try members.optionalObjectText(key.rawValue) }

    /// Base64 of a secret, decoded into locked memory.
    ///
    /// - Parameter memory: That of the whole body.
    func secret(_ key: Key, in memory: UnsafeMutableRawBufferPointer) throws -> SharedSecret {
        try members.secret(key.rawValue, unescapingIn: members.part(of: memory))
    }

    /// Hexadecimal of a secret of `count` bytes, decoded into locked memory; nil when absent.
    func optionalHexSecret(_ key: Key, count: Int) throws -> SharedSecret? {
        try members.optionalHexSecret(key.rawValue, count: count)
    }
}

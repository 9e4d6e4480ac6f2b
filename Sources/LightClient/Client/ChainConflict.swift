import Encodings

/// Two headers of one height that sources showed. While it stands nothing is served; an operator says which one is right.
public struct ChainConflict: Sendable, Equatable {
    public let height: Int64
    /// The header of the source that is followed: 32 bytes.
    public let followed: [UInt8]
    /// The other one: 32 bytes.
    public let other: [UInt8]
    /// Who showed the other one; without credentials.
    public let source: String
    /// Whether the other one, too, has the signatures that trust asks for: then the chain has forked.
    public let isProven: Bool

    /// Longest name of a source that is kept, in bytes.
    static let longestName = 512

    /// A name as it is kept.
    static func name(of source: String) -> String {
        var name = source
        while name.utf8.count > longestName { name.removeLast() }
        return name
    }

    /// - Throws: `.malformed` for what no conflict is.
    init(
        height: Int64, followed: [UInt8], other: [UInt8], isProven: Bool, source: String
    ) throws(LightClientError) {
        guard height >= 1, followed.count == ChainLimits.hashLength, other.count == ChainLimits.hashLength,
            followed != other
        else { throw .malformed("a conflict is between two hashes of one height") }
        self.height = height
        self.followed = followed
        self.other = other
        guard source.utf8.count <= Self.longestName else { throw .malformed("the name of a source is too long") }
        self.source = source
        self.isProven = isProven
    }

    /// What callers and operators are told.
    public var error: LightClientError {
        let (this, that) = (Hexadecimal.encode(followed), Hexadecimal.encode(other))
        return LightClientError(
            isProven ? .fork : .conflict,
            isProven
                ? "the chain has forked: \(source) proves header \(that) at height \(height), the followed node has \(this)"
                : "\(source) has header \(that) at height \(height), the followed node has \(this)")
    }

    /// Says which of the two is right.
    ///
    /// - Returns: The one that is given up.
    /// - Throws: `.settings` for a hash that is neither.
    public func givenUp(keeping hash: [UInt8]) throws(LightClientError) -> [UInt8] {
        if hash == followed { return other }
        if hash == other { return followed }
        throw .settings(
            "the conflict at height \(height) is between \(Hexadecimal.encode(followed)) and "
                + "\(Hexadecimal.encode(other)); name the one that is right")
    }
}

/// What an operator said about a height at which there was a conflict: a client that comes to it takes no other header there.
public struct ChainRuling: Sendable, Equatable {
    public let height: Int64
    /// 32 bytes.
    public let hash: [UInt8]

    /// - Throws: `.malformed` for another height or length.
    init(height: Int64, hash: [UInt8]) throws(LightClientError) {
        guard height >= 1, hash.count == ChainLimits.hashLength else {
            throw .malformed("a ruling is about a height and a hash")
        }
        self.height = height
        self.hash = hash
    }
}

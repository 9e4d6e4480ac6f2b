/// What a client goes on from after a restart: the trusted state, a conflict that stands, and what an operator said about one.
///
/// Without the last two its bytes are those of ``TrustedState``. Otherwise they are a name and version, the trusted state
/// behind its length in 4 bytes (0: there is none yet), a byte 1 and the conflict or a byte 0, the same with the ruling, and
/// SHA-256 of all before. A conflict is its height, both hashes, a byte 1 if the other header is proven, and the source's name
/// behind its length in 2 bytes; a ruling its height and hash.
public struct KeptState: Sendable, Equatable {
    public var trusted: TrustedState?
    public var conflict: ChainConflict?
    public var ruling: ChainRuling?

    private static let magic = Array("kmsd-light-2".utf8)
    private static let maximumLength = TrustedState.maximumLength + 1_024

    public init(trusted: TrustedState?, conflict: ChainConflict? = nil, ruling: ChainRuling? = nil) {
        self.trusted = trusted
        self.conflict = conflict
        self.ruling = ruling
    }

    /// What there is once an operator has said which header of the conflict is right.
    ///
    /// - Throws: `.settings` without a conflict, for a hash that is neither of the two, and for one that cannot follow what is
    ///   trusted.
    public func resolved(keeping hash: [UInt8]) throws(LightClientError) -> KeptState {
        guard let conflict else { throw .settings("there is no conflict") }
        _ = try conflict.givenUp(keeping: hash)
        guard let trusted, trusted.height >= conflict.height else {
            return KeptState(
                trusted: trusted, ruling: try ChainRuling(height: conflict.height, hash: hash))
        }
        // What is beyond it was vouched for by the operators since then.
        guard trusted.height > conflict.height || trusted.hash == hash else {
            throw .settings(
                "the header of height \(conflict.height) that is trusted is the other one: give a decryption-trust above it first"
            )
        }
        return KeptState(trusted: trusted, ruling: ruling)
    }

    public func encoded() throws(LightClientError) -> [UInt8] {
        if let trusted, conflict == nil, ruling == nil { return try trusted.encoded() }
        var writer = StateWriter(bytes: Self.magic)
        let state = try trusted?.encoded() ?? []
        writer.number(UInt32(state.count))
        writer.bytes += state
        writer.number(UInt8(conflict == nil ? 0 : 1))
        if let conflict {
            writer.number(conflict.height)
            writer.bytes += conflict.followed + conflict.other
            writer.number(UInt8(conflict.isProven ? 1 : 0))
            writer.number(UInt16(conflict.source.utf8.count))
            writer.bytes += conflict.source.utf8
        }
        writer.number(UInt8(ruling == nil ? 0 : 1))
        if let ruling {
            writer.number(ruling.height)
            writer.bytes += ruling.hash
        }
        return writer.bytes + (try MerkleTree.hash(writer.bytes))
    }

    /// - Throws: `.malformed` for bytes that ``encoded()`` does not write; `.invalid` for a state that contradicts itself.
    public init(decoding bytes: [UInt8]) throws(LightClientError) {
        guard bytes.starts(with: Self.magic) else {
            self.init(trusted: try TrustedState(decoding: bytes))
            return
        }
        guard bytes.count <= Self.maximumLength, bytes.count > Self.magic.count + ChainLimits.hashLength else {
            throw .malformed("the stored state is too short or too long")
        }
        let body = Array(bytes.dropLast(ChainLimits.hashLength))
        guard try MerkleTree.hash(body)[...] == bytes.suffix(ChainLimits.hashLength) else {
            throw .malformed("the stored state is damaged")
        }
        var reader = StateReader(rest: body.dropFirst(Self.magic.count))
        let length: UInt32 = try reader.number()
        let state = try reader.take(Int(length))
        self.init(trusted: state.isEmpty ? nil : try TrustedState(decoding: state))
        if try reader.flag() {
            conflict = try ChainConflict(
                height: reader.number(), followed: reader.take(ChainLimits.hashLength),
                other: reader.take(ChainLimits.hashLength), isProven: reader.flag(), source: reader.name())
        }
        if try reader.flag() {
            ruling = try ChainRuling(height: reader.number(), hash: reader.take(ChainLimits.hashLength))
        }
        guard reader.rest.isEmpty, conflict != nil || ruling != nil else { throw StateReader.wrong }
    }
}

extension StateReader {
    fileprivate mutating func flag() throws(LightClientError) -> Bool {
        let byte: UInt8 = try number()
        guard byte <= 1 else { throw Self.wrong }
        return byte == 1
    }

    fileprivate mutating func name() throws(LightClientError) -> String {
        let length: UInt16 = try number()
        guard Int(length) <= ChainConflict.longestName,
            let name = String(validating: try take(Int(length)), as: UTF8.self)
        else { throw Self.wrong }
        return name
    }
}

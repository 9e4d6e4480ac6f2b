/// The bytes that a trusted state is stored in: a name and version, the header's parts, the next validators in their
/// canonical order, SHA-256 of all before. Numbers are big-endian; bytes of changing length have theirs in one byte before.
///
/// The hash finds damage, not malice: whoever stores the state must authenticate it and keep an older one from coming back.
extension TrustedState {
    private static let magic = Array("kmsd-light-1".utf8)
    /// Of a state with ``ChainLimits/validators``.
    public static let maximumLength = 1_024 + 40 * ChainLimits.validators

    public func encoded() throws(LightClientError) -> [UInt8] {
        var writer = StateWriter(bytes: Self.magic)
        writer.short(Array(header.chainID.utf8))
        writer.number(header.blockVersion)
        writer.number(header.appVersion)
        writer.number(header.height)
        writer.number(header.time.seconds)
        writer.number(header.time.nanoseconds)
        writer.short(header.lastBlockID.hash)
        writer.number(header.lastBlockID.partCount)
        writer.short(header.lastBlockID.partsHash)
        for hash in [
            header.lastCommitHash, header.dataHash, header.validatorsHash, header.nextValidatorsHash,
            header.consensusHash, header.appHash, header.lastResultsHash, header.evidenceHash, header.proposerAddress,
        ] { writer.short(hash) }
        writer.number(UInt32(nextValidators.validators.count))
        for validator in nextValidators.validators {
            writer.bytes += validator.publicKey
            writer.number(validator.power)
        }
        return writer.bytes + (try MerkleTree.hash(writer.bytes))
    }

    /// Reads a stored state.
    ///
    /// - Throws: `.malformed` for bytes that ``encoded()`` does not write; `.invalid` for a set that is not the header's.
    public init(decoding bytes: [UInt8]) throws(LightClientError) {
        guard bytes.count <= Self.maximumLength, bytes.count > Self.magic.count + ChainLimits.hashLength else {
            throw .malformed("the stored state is too short or too long")
        }
        let body = Array(bytes.dropLast(ChainLimits.hashLength))
        guard try MerkleTree.hash(body)[...] == bytes.suffix(ChainLimits.hashLength) else {
            throw .malformed("the stored state is damaged")
        }
        var reader = StateReader(rest: body[...])
        guard try reader.take(Self.magic.count) == Self.magic else {
            throw .malformed("the stored state is of another kind or version")
        }
        let chainID = try reader.short()
        guard let chainID = String(validating: chainID, as: UTF8.self) else { throw StateReader.wrong }
        let header = BlockHeader(
            blockVersion: try reader.number(), appVersion: try reader.number(), chainID: chainID,
            height: try reader.number(), time: try reader.time(),
            lastBlockID: try BlockID(hash: reader.short(), partCount: reader.number(), partsHash: reader.short()),
            lastCommitHash: try reader.short(), dataHash: try reader.short(), validatorsHash: try reader.short(),
            nextValidatorsHash: try reader.short(), consensusHash: try reader.short(), appHash: try reader.short(),
            lastResultsHash: try reader.short(), evidenceHash: try reader.short(), proposerAddress: try reader.short())
        let count: UInt32 = try reader.number()
        guard Int(count) * (ChainLimits.keyLength + 8) == reader.rest.count else { throw StateReader.wrong }
        var validators: [Validator] = []
        validators.reserveCapacity(Int(count))
        for _ in 0..<count {
            validators.append(try Validator(publicKey: reader.take(ChainLimits.keyLength), power: reader.number()))
        }
        let set = try ValidatorSet(validators)
        guard set.validators == validators else { throw StateReader.wrong }
        try self.init(header: header, nextValidators: set)
    }
}

/// Appends the parts of a stored state.
struct StateWriter {
    var bytes: [UInt8]

    mutating func number(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.bigEndian) { bytes += $0 }
    }

    /// At most 255 bytes; every part of a header is shorter.
    mutating func short(_ value: [UInt8]) {
        bytes.append(UInt8(value.count))
        bytes += value
    }
}

/// Reads them, bounded by what is there.
struct StateReader {
    var rest: ArraySlice<UInt8>

    static var wrong: LightClientError { .malformed("the stored state is not of its form") }

    mutating func take(_ count: Int) throws(LightClientError) -> [UInt8] {
        guard count <= rest.count else { throw Self.wrong }
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    mutating func number<Number: FixedWidthInteger>() throws(LightClientError) -> Number {
        try take(Number.bitWidth / 8).reduce(0) { $0 << 8 | Number(truncatingIfNeeded: $1) }
    }

    mutating func short() throws(LightClientError) -> [UInt8] {
        let length: UInt8 = try number()
        return try take(Int(length))
    }

    mutating func time() throws(LightClientError) -> ChainTime {
        guard let time = ChainTime(seconds: try number(), nanoseconds: try number()) else { throw Self.wrong }
        return time
    }
}

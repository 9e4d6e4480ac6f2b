/// One validator: an Ed25519 key and how much its vote weighs.
public struct Validator: Sendable, Hashable {
    /// 32 bytes.
    public let publicKey: [UInt8]
    /// 1 or more.
    public let power: Int64
    /// The first 20 bytes of the key's SHA-256.
    public let address: [UInt8]

    /// - Throws: `.malformed` for a key of another length; `.invalid` for a power below 1.
    public init(publicKey: [UInt8], power: Int64) throws(LightClientError) {
        guard publicKey.count == ChainLimits.keyLength else {
            throw .malformed("a validator's key must have 32 bytes")
        }
        guard power >= 1 else { throw .invalid("a validator's power must be 1 or more") }
        self.publicKey = publicKey
        self.power = power
        address = Array(try MerkleTree.hash(publicKey).prefix(ChainLimits.addressLength))
    }

    /// tendermint.types.SimpleValidator.
    var leaf: [UInt8] {
        ProtobufWriter.writing {
            $0.message(1, ProtobufWriter.writing { $0.bytes(1, publicKey) })
            $0.number(2, power)
        }
    }
}

/// Who may vote at a height, in the canonical order: the most power first, then by address.
public struct ValidatorSet: Sendable, Hashable {
    public let validators: [Validator]
    /// At most ``ChainLimits/totalPower``.
    public let totalPower: Int64
    /// 32 bytes; what headers call the set by.
    public let hash: [UInt8]

    /// Puts the validators into their order, whichever they came in.
    ///
    /// - Throws: `.invalid` for no validator, one that is there twice, and powers whose sum is too large; `.malformed` for
    ///   more than ``ChainLimits/validators``.
    public init(_ unordered: [Validator]) throws(LightClientError) {
        guard unordered.count <= ChainLimits.validators else {
            throw .malformed("a validator set must have at most \(ChainLimits.validators) validators")
        }
        guard !unordered.isEmpty else { throw .invalid("a validator set must not be empty") }
        guard Set(unordered.map(\.address)).count == unordered.count else {
            throw .invalid("a validator is in its set twice")
        }
        var total: Int64 = 0
        for validator in unordered {
            let (sum, overflow) = total.addingReportingOverflow(validator.power)
            guard !overflow, sum <= ChainLimits.totalPower else {
                throw .invalid("the powers of a validator set add up to more than is allowed")
            }
            total = sum
        }
        validators = unordered.sorted { one, other in
            one.power == other.power
                ? one.address.lexicographicallyPrecedes(other.address) : one.power > other.power
        }
        totalPower = total
        hash = try MerkleTree.root(validators.map(\.leaf))
    }
}

import Encodings

/// One page of a validator set, as a node hands it out.
public struct ValidatorsPage: Sendable, Equatable {
    public let height: Int64
    /// At most ``ChainLimits/pageLength``.
    public let validators: [Validator]
    /// In the whole set.
    public let total: Int
}

/// Puts the pages of a validator set together.
public struct ValidatorPages: Sendable {
    private let height: Int64
    private var validators: [Validator] = []
    private var total: Int?

    /// - Parameter height: That was asked for.
    public init(height: Int64) { self.height = height }

    /// The page to ask for next, from 1, with ``ChainLimits/pageLength`` a page; nil when the set is complete.
    public var nextPage: Int? {
        guard let total else { return 1 }
        return validators.count < total ? validators.count / ChainLimits.pageLength + 1 : nil
    }

    /// Takes the page that was asked for.
    ///
    /// - Throws: `.malformed` for a page of another height or total, a page after the last, and one that is not full
    ///   though it is not the last.
    public mutating func add(_ page: ValidatorsPage) throws(LightClientError) {
        guard nextPage != nil else { throw .malformed("a page of validators after the last") }
        guard page.height == height else { throw .malformed("a page of validators is of another height") }
        guard page.total == total ?? page.total else {
            throw .malformed("the pages of validators differ in their total")
        }
        let missing = page.total - validators.count
        guard page.validators.count == min(missing, ChainLimits.pageLength) else {
            throw .malformed("a page has \(page.validators.count) validators where \(missing) are still to come")
        }
        total = page.total
        validators += page.validators
    }

    /// The whole set.
    ///
    /// - Throws: `.malformed` while pages are missing; `.invalid` as ``ValidatorSet/init(_:)``.
    public func set() throws(LightClientError) -> ValidatorSet {
        guard nextPage == nil else { throw .malformed("pages of the validator set are missing") }
        return try ValidatorSet(validators)
    }
}

extension Validator {
    /// The member `validators`, in whichever order.
    static func reading(_ object: ReplyObject, limit: Int) throws(LightClientError) -> [Validator] {
        let items = try object.objects(
            "validators", "a validator", ["address", "pub_key", "voting_power"], limit: limit)
        var validators: [Validator] = []
        validators.reserveCapacity(items.count)
        for item in items {
            let key = try item.object("pub_key", "a validator's key", ["type", "value"])
            guard try key.string("type", limit: 64).isExactly("tendermint/PubKeyEd25519") else {
                throw .malformed("a validator's key must be of type tendermint/PubKeyEd25519")
            }
            let validator = try Validator(
                publicKey: key.base64("value", limit: ChainLimits.keyLength), power: item.int64("voting_power"))
            guard try item.hex("address", limit: ChainLimits.addressLength) == validator.address else {
                throw .invalid("a validator's address is not that of its key")
            }
            validators.append(validator)
        }
        return validators
    }
}

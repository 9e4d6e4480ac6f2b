/// A header that is trusted, and who may vote after it: all that the next step needs.
public struct TrustedState: Sendable, Hashable {
    public let header: BlockHeader
    /// 32 bytes.
    public let hash: [UInt8]
    /// The set that the header names as the next one.
    public let nextValidators: ValidatorSet

    public var height: Int64 { header.height }

    /// Says that a header is trusted; the caller has verified it or was told so by the operators.
    ///
    /// - Throws: `.invalid` if the set is not the one that the header names; `.malformed` for a header of no such form.
    init(header: BlockHeader, nextValidators: ValidatorSet) throws(LightClientError) {
        try header.check()
        guard nextValidators.hash == header.nextValidatorsHash else {
            throw .invalid("the validators after height \(header.height) are not those that its header names")
        }
        self.header = header
        self.nextValidators = nextValidators
        hash = try header.hash()
    }
}

/// A header that may be relied on, such as for its application hash.
public struct VerifiedHeader: Sendable, Hashable {
    public let header: BlockHeader
    /// 32 bytes.
    public let hash: [UInt8]

    public var height: Int64 { header.height }
    /// The state after block `height` − 1.
    public var appHash: [UInt8] { header.appHash }
    public var time: ChainTime { header.time }
}

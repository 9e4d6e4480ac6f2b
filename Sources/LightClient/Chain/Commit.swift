/// One validator's place in a commit.
public struct CommitSignature: Sendable, Hashable {
    public enum Vote: UInt8, Sendable {
        /// No vote was seen: no address, no signature, and the zero time (or 1970, protobuf's zero).
        case absent = 1
        /// For the commit's block: the only kind that counts.
        case commit = 2
        /// For no block.
        case none = 3
    }

    public let vote: Vote
    /// 20 bytes; none if absent.
    public let address: [UInt8]
    public let time: ChainTime
    /// 64 bytes, Ed25519; none if absent.
    public let signature: [UInt8]

    /// - Throws: `.malformed` for an absent vote with something in it, and a cast one without its parts.
    public init(vote: Vote, address: [UInt8], time: ChainTime, signature: [UInt8]) throws(LightClientError) {
        if vote == .absent {
            guard address.isEmpty, signature.isEmpty, time == .zero || time == .epoch else {
                throw .malformed("an absent vote has an address, a time or a signature")
            }
        } else {
            guard address.count == ChainLimits.addressLength else {
                throw .malformed("a voter's address must have 20 bytes")
            }
            guard signature.count == ChainLimits.signatureLength else {
                throw .malformed("a vote's signature must have 64 bytes")
            }
        }
        self.vote = vote
        self.address = address
        self.time = time
        self.signature = signature
    }
}

/// The precommits that made a block final, one place per validator in the set's canonical order.
public struct Commit: Sendable, Hashable {
    public let height: Int64
    public let round: Int32
    public let blockID: BlockID
    public let signatures: [CommitSignature]

    /// - Throws: `.malformed` for a negative height or round, no block, no signature or more than
    ///   ``ChainLimits/validators``.
    public init(
        height: Int64, round: Int32, blockID: BlockID, signatures: [CommitSignature]
    ) throws(LightClientError) {
        guard height >= 1, round >= 0 else { throw .malformed("a commit's height or round is out of range") }
        guard !blockID.hash.isEmpty else { throw .malformed("a commit must be for a block") }
        guard 1...ChainLimits.validators ~= signatures.count else {
            throw .malformed("a commit must have 1 to \(ChainLimits.validators) signatures")
        }
        self.height = height
        self.round = round
        self.blockID = blockID
        self.signatures = signatures
    }

    /// What the validator of that place has signed. Every signature has a time of its own.
    public func signBytes(_ index: Int, chainID: String) -> [UInt8] {
        let signature = signatures[index]
        return SignBytes.make(
            kind: SignBytes.precommit, height: height, round: Int64(round),
            blockID: signature.vote == .commit ? blockID : .none, time: signature.time, chainID: chainID)
    }
}

/// The canonical form of a vote, behind its length.
///
/// Source: CometBFT, `types/canonical.go`, `proto/tendermint/types/canonical.proto`.
enum SignBytes {
    static let precommit: UInt64 = 2

    static func make(
        kind: UInt64, height: Int64, round: Int64, blockID: BlockID, time: ChainTime, chainID: String
    ) -> [UInt8] {
        let vote = ProtobufWriter.writing {
            $0.number(1, kind)
            $0.fixed(2, height)
            $0.fixed(3, round)
            if blockID != .none { $0.message(4, blockID.message) }
            $0.message(5, time.message)
            $0.bytes(6, Array(chainID.utf8))
        }
        return ProtobufWriter.writing { $0.varint(UInt64(vote.count)) } + vote
    }
}

/// A header with the commit that says it is final. Nothing is verified yet.
public struct SignedHeader: Sendable, Hashable {
    public let header: BlockHeader
    public let commit: Commit

    public init(header: BlockHeader, commit: Commit) {
        self.header = header
        self.commit = commit
    }
}

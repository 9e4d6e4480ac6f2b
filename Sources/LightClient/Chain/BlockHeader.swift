/// A block's header: what the validators sign, by its hash, and what the application's state is proven against.
///
/// The application's hash of height H is the state after block H − 1.
///
/// Source: CometBFT, `types/block.go`.
public struct BlockHeader: Sendable, Hashable {
    public var blockVersion: UInt64
    public var appVersion: UInt64
    public var chainID: String
    /// From 1.
    public var height: Int64
    public var time: ChainTime
    public var lastBlockID: BlockID
    public var lastCommitHash: [UInt8]
    public var dataHash: [UInt8]
    public var validatorsHash: [UInt8]
    public var nextValidatorsHash: [UInt8]
    public var consensusHash: [UInt8]
    /// Any length up to ``ChainLimits/appHashLength``; 32 bytes for a Cosmos application.
    public var appHash: [UInt8]
    public var lastResultsHash: [UInt8]
    public var evidenceHash: [UInt8]
    /// 20 bytes.
    public var proposerAddress: [UInt8]

    /// Nothing is checked here.
    public init(
        blockVersion: UInt64, appVersion: UInt64, chainID: String, height: Int64, time: ChainTime, lastBlockID: BlockID,
        lastCommitHash: [UInt8], dataHash: [UInt8], validatorsHash: [UInt8], nextValidatorsHash: [UInt8],
        consensusHash: [UInt8], appHash: [UInt8], lastResultsHash: [UInt8], evidenceHash: [UInt8],
        proposerAddress: [UInt8]
    ) {
        (self.blockVersion, self.appVersion, self.chainID) = (blockVersion, appVersion, chainID)
        (self.height, self.time, self.lastBlockID) = (height, time, lastBlockID)
        (self.lastCommitHash, self.dataHash) = (lastCommitHash, dataHash)
        (self.validatorsHash, self.nextValidatorsHash) = (validatorsHash, nextValidatorsHash)
        (self.consensusHash, self.appHash) = (consensusHash, appHash)
        (self.lastResultsHash, self.evidenceHash) = (lastResultsHash, evidenceHash)
        self.proposerAddress = proposerAddress
    }

    /// The fourteen leaves, in order.
    var leaves: [[UInt8]] {
        func wrapped(_ bytes: [UInt8]) -> [UInt8] { ProtobufWriter.writing { $0.bytes(1, bytes) } }
        let version = ProtobufWriter.writing {
            $0.number(1, blockVersion)
            $0.number(2, appVersion)
        }
        return [
            version, wrapped(Array(chainID.utf8)), ProtobufWriter.writing { $0.number(1, height) }, time.message,
            lastBlockID.message, wrapped(lastCommitHash), wrapped(dataHash), wrapped(validatorsHash),
            wrapped(nextValidatorsHash), wrapped(consensusHash), wrapped(appHash), wrapped(lastResultsHash),
            wrapped(evidenceHash), wrapped(proposerAddress),
        ]
    }

    /// 32 bytes.
    public func hash() throws(LightClientError) -> [UInt8] { try MerkleTree.root(leaves) }

    /// Checks what a header must be in itself.
    ///
    /// - Throws: `.malformed` for a part of another length; `.invalid` for another block protocol or a height below 1.
    func check() throws(LightClientError) {
        guard blockVersion == ChainLimits.blockProtocol else {
            throw .invalid("the header is of block protocol \(blockVersion), not \(ChainLimits.blockProtocol)")
        }
        // So that there is a next height.
        guard 1..<Int64.max ~= height else { throw .invalid("a header's height is out of range") }
        guard chainID.utf8.count <= ChainLimits.chainIDLength else {
            throw .malformed("a chain id must have at most \(ChainLimits.chainIDLength) bytes")
        }
        let hashes = [lastCommitHash, dataHash, consensusHash, lastResultsHash, evidenceHash]
        for hash in hashes where !hash.isEmpty && hash.count != ChainLimits.hashLength {
            throw .malformed("a hash of a header must have 32 bytes or none")
        }
        guard validatorsHash.count == ChainLimits.hashLength, nextValidatorsHash.count == ChainLimits.hashLength else {
            throw .malformed("the hash of a validator set must have 32 bytes")
        }
        guard appHash.count <= ChainLimits.appHashLength else {
            throw .malformed("an application hash must have at most \(ChainLimits.appHashLength) bytes")
        }
        guard proposerAddress.count == ChainLimits.addressLength else {
            throw .malformed("the proposer's address must have 20 bytes")
        }
    }
}

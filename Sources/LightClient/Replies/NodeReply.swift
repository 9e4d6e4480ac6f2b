/// Reads a node's JSON-RPC replies: `{"jsonrpc":"2.0","id":…,"result":{…}}`.
///
/// Nothing in a reply is believed here; that is what ``HeaderRules`` is for.
///
/// Source: CometBFT, RPC of 0.34 to 0.38 and 1.0.
public enum NodeReply {
    /// `commit`: `signed_header {header, commit}`.
    ///
    /// - Throws: `.malformed`; `.refused` if the node answered with an error.
    public static func commit(_ reply: [UInt8]) throws(LightClientError) -> SignedHeader {
        try result(reply, ["signed_header"]) { result throws(LightClientError) in
            try SignedHeader(
                result.object("signed_header", "the signed header", SignedHeader.names))
        }
    }

    /// One page of `validators`: `block_height`, `validators`, `count`, `total`.
    ///
    /// - Throws: As ``commit(_:)``; `.invalid` for a validator whose address is not its key's.
    public static func validators(_ reply: [UInt8]) throws(LightClientError) -> ValidatorsPage {
        try result(reply, ["block_height", "validators", "count", "total"]) { result throws(LightClientError) in
            let validators = try Validator.reading(result, limit: ChainLimits.pageLength)
            guard try result.int64("count") == Int64(validators.count) else {
                throw .malformed("'count' of the validators is not the count of the validators")
            }
            let total = try result.int64("total")
            guard 1...Int64(ChainLimits.validators) ~= total else {
                throw .malformed("'total' of the validators must be 1 to \(ChainLimits.validators)")
            }
            return ValidatorsPage(
                height: try result.int64("block_height"), validators: validators, total: Int(total))
        }
    }

    /// What a node says about itself.
    public struct Status: Sendable, Equatable {
        /// The chain's id.
        public let network: String
        public let latestHeight: Int64
        /// 32 bytes.
        public let latestHash: [UInt8]
        public let latestTime: ChainTime
        /// Whether the node is still behind the chain.
        public let isCatchingUp: Bool
    }

    /// `status`: `node_info.network` and the latest block of `sync_info`.
    ///
    /// - Throws: As ``commit(_:)``.
    public static func status(_ reply: [UInt8]) throws(LightClientError) -> Status {
        try result(reply, ["node_info", "sync_info"]) { result throws(LightClientError) in
            let node = try result.object("node_info", "the node's description", ["network"])
            let sync = try result.object(
                "sync_info", "the node's progress",
                ["latest_block_height", "latest_block_hash", "latest_block_time", "catching_up"])
            let height = try sync.int64("latest_block_height")
            guard height >= 0 else { throw .malformed("'latest_block_height' must not be negative") }
            return Status(
                network: try node.string("network", limit: ChainLimits.chainIDLength), latestHeight: height,
                latestHash: try sync.hex("latest_block_hash"), latestTime: try sync.time("latest_block_time"),
                isCatchingUp: try sync.flag("catching_up"))
        }
    }

    private static func result<Value>(
        _ reply: [UInt8], _ names: [StaticString], _ body: (ReplyObject) throws(LightClientError) -> Value
    ) throws(LightClientError) -> Value {
        try ReplyObject.reading(reply, "the reply", ["jsonrpc", "id", "result", "error"]) {
            reply throws(LightClientError) in
            guard try reply.string("jsonrpc", limit: 3) == "2.0" else {
                throw .malformed("the reply is not of JSON-RPC 2.0")
            }
            guard !reply.has("error") else {
                guard !reply.has("result") else { throw .malformed("the reply has both a result and an error") }
                let number = try reply.object("error", "the node's error", ["code"]).integer("code", Int64.self)
                throw LightClientError(.refused, "the node answered with error \(number)")
            }
            return try body(reply.object("result", "the result", names))
        }
    }
}

extension SignedHeader {
    static let names: [StaticString] = ["header", "commit"]

    init(_ object: ReplyObject) throws(LightClientError) {
        self.init(
            header: try BlockHeader(object.object("header", "the header", BlockHeader.names)),
            commit: try Commit(object.object("commit", "the commit", Commit.names)))
    }
}

extension BlockHeader {
    static let names: [StaticString] = [
        "version", "chain_id", "height", "time", "last_block_id", "last_commit_hash", "data_hash", "validators_hash",
        "next_validators_hash", "consensus_hash", "app_hash", "last_results_hash", "evidence_hash", "proposer_address",
    ]

    init(_ object: ReplyObject) throws(LightClientError) {
        let version = try object.object("version", "the header's version", ["block", "app"])
        self.init(
            blockVersion: try version.uint64OrZero("block"), appVersion: try version.uint64OrZero("app"),
            chainID: try object.string("chain_id", limit: ChainLimits.chainIDLength),
            height: try object.int64("height"), time: try object.time("time"),
            lastBlockID: object.has("last_block_id") ? try BlockID.reading(object, "last_block_id") : .none,
            lastCommitHash: try object.hex("last_commit_hash"), dataHash: try object.hex("data_hash"),
            validatorsHash: try object.hex("validators_hash"),
            nextValidatorsHash: try object.hex("next_validators_hash"),
            consensusHash: try object.hex("consensus_hash"),
            appHash: try object.hex("app_hash", limit: ChainLimits.appHashLength),
            lastResultsHash: try object.hex("last_results_hash"), evidenceHash: try object.hex("evidence_hash"),
            proposerAddress: try object.hex("proposer_address", limit: ChainLimits.addressLength))
    }
}

extension BlockID {
    /// The parts are called `parts`; `part_set_header` in older data.
    static func reading(_ object: ReplyObject, _ name: StaticString) throws(LightClientError) -> BlockID {
        let id = try object.object(name, "the block id", ["hash", "parts", "part_set_header"])
        guard id.has("parts") != id.has("part_set_header") else {
            throw .malformed("a block id must have 'parts', or in old replies 'part_set_header'")
        }
        let parts = try id.object(
            id.has("parts") ? "parts" : "part_set_header", "the block's parts", ["total", "hash"])
        return try BlockID(
            hash: id.hex("hash"), partCount: parts.integer("total", UInt32.self), partsHash: parts.hex("hash"))
    }
}

extension Commit {
    static let names: [StaticString] = ["height", "round", "block_id", "signatures"]

    init(_ object: ReplyObject) throws(LightClientError) {
        let places = try object.objects(
            "signatures", "a signature of the commit",
            ["block_id_flag", "validator_address", "timestamp", "signature"], limit: ChainLimits.validators)
        var signatures: [CommitSignature] = []
        signatures.reserveCapacity(places.count)
        for place in places {
            guard let vote = CommitSignature.Vote(rawValue: try place.integer("block_id_flag", UInt8.self)) else {
                throw .malformed("'block_id_flag' must be 1, 2 or 3")
            }
            signatures.append(
                try CommitSignature(
                    vote: vote, address: place.hex("validator_address", limit: ChainLimits.addressLength),
                    time: place.time("timestamp"),
                    signature: place.base64("signature", limit: ChainLimits.signatureLength, orNull: vote == .absent)))
        }
        try self.init(
            height: object.int64("height"), round: object.integer("round", Int32.self),
            blockID: BlockID.reading(object, "block_id"), signatures: signatures)
    }
}

public import InclusionProofs
import LibCrypto
import LightClient
import Synchronization

/// A chain for trials: headers with real signatures of validators that live in this process, over a store with a contract's
/// permissions. Whoever reaches it may change it: it is evidence of nothing.
public final class TrialChain: Sendable {
    public struct Settings: Sendable {
        public var chainID: String
        public var accessList: AccessList
        /// Voting powers, one validator each.
        public var powers: [Int64] = [10, 10, 10, 5]

        public init(chainID: String, accessList: AccessList) {
            self.chainID = chainID
            self.accessList = accessList
        }
    }

    /// Blocks that are kept; then no more are made.
    public static let mostBlocks = 200_000
    /// Changes of permissions that are kept.
    public static let mostChanges = 10_000

    struct Change: Sendable {
        /// The first block whose state has it.
        var height: Int64
        var key: [UInt8]
        var value: [UInt8]
    }

    struct State {
        var blocks: [SignedHeader] = []
        /// In the order of their heights.
        var changes: [Change] = []
    }

    public let settings: Settings
    let keys: [SigningKey]
    let validators: ValidatorSet
    private let state = Mutex(State())

    /// - Parameters:
    ///   - count: Blocks to begin with, a second apart, the last one at `now`.
    ///   - now: Unix seconds.
    public init(_ settings: Settings, count: Int, now: Int64) throws {
        self.settings = settings
        var keys: [SigningKey] = []
        for _ in settings.powers { keys.append(try SigningKey.generate(.ed25519)) }
        self.keys = keys
        validators = try ValidatorSet(
            zip(keys, settings.powers).map { try Validator(publicKey: $0.publicKey, power: $1) })
        try state.withLock { state in
            // A tree needs an entry, and proofs need a path.
            for number in UInt8(0)..<4 {
                state.changes.append(
                    Change(height: 1, key: [1] + (try Digest.sha256([number])), value: [number + 1]))
            }
            for number in 0..<count { try append(to: &state, time: now - Int64(count - 1 - number)) }
        }
    }

    /// The last block's height.
    public var height: Int64 { state.withLock { Int64($0.blocks.count) } }

    /// Hash of a header, if there is one.
    public func hash(at height: Int64) throws -> [UInt8]? { try block(at: height)?.header.hash() }

    func block(at height: Int64) -> SignedHeader? {
        state.withLock { state in
            1...Int64(state.blocks.count) ~= height ? state.blocks[Int(height) - 1] : nil
        }
    }

    /// Gives or takes a permission, from the next block on, which the header after it tells.
    ///
    /// - Returns: The height whose header can prove it.
    public func set(
        _ permission: AccessList.Permission, of handle: [UInt8], isGiven: Bool
    ) throws -> Int64 {
        let key = try settings.accessList.storeKey(permission, handle: handle)
        return try state.withLock { state in
            guard state.changes.count < Self.mostChanges else { throw TrialChainError.full }
            let next = Int64(state.blocks.count) + 1
            state.changes.append(
                Change(
                    height: next, key: key,
                    value: isGiven ? AccessList.granted : [UInt8](repeating: 0, count: 32)))
            return next + 1
        }
    }

    /// Appends a block.
    ///
    /// - Parameter now: Unix seconds; the block is later than the last one in any case.
    public func append(now: Int64) throws { try state.withLock { try append(to: &$0, time: now) } }

    private func append(to state: inout State, time: Int64) throws {
        guard state.blocks.count < Self.mostBlocks else { throw TrialChainError.full }
        let height = Int64(state.blocks.count) + 1
        let last = state.blocks.last
        let appHash: [UInt8]
        if let last, height > 2, !state.changes.contains(where: { $0.height == height - 1 }) {
            appHash = last.header.appHash
        } else if height > 1 {
            appHash = try StoreRoots(evm: Self.tree(state.changes, after: height - 1).root).appHash()
        } else {
            appHash = try Digest.sha256(Array("genesis".utf8))
        }
        var moment = ChainTime(seconds: time)
        // Two blocks are never of one moment, and many made at once lead not far ahead of the clock.
        if let last, let now = moment, now <= last.header.time { moment = last.header.time.aMillisecondLater }
        state.blocks.append(
            try block(height, moment, last: last?.commit.blockID ?? .none, appHash: appHash))
    }

    /// A block with the votes of everybody.
    func block(
        _ height: Int64, _ time: ChainTime?, last: BlockID, appHash: [UInt8], chainID: String? = nil,
        set: ValidatorSet? = nil, keys: [SigningKey]? = nil
    ) throws -> SignedHeader {
        guard let time else { throw TrialChainError.time }
        let (set, keys) = (set ?? validators, keys ?? self.keys)
        let header = BlockHeader(
            blockVersion: 11, appVersion: 0, chainID: chainID ?? settings.chainID, height: height, time: time,
            lastBlockID: last, lastCommitHash: try Digest.sha256([1]), dataHash: try Digest.sha256([2]),
            validatorsHash: set.hash, nextValidatorsHash: set.hash, consensusHash: try Digest.sha256([3]),
            appHash: appHash, lastResultsHash: try Digest.sha256([4]), evidenceHash: try Digest.sha256([]),
            proposerAddress: set.validators[0].address)
        return try Self.signed(header, set, keys)
    }

    static func signed(_ header: BlockHeader, _ set: ValidatorSet, _ keys: [SigningKey]) throws -> SignedHeader {
        let hash = try header.hash()
        let id = try BlockID(hash: hash, partCount: 1, partsHash: try Digest.sha256(hash))
        let time = header.time.advanced(bySeconds: 1)
        func commit(_ signature: (Int) throws -> [UInt8]) throws -> Commit {
            try Commit(
                height: header.height, round: 0, blockID: id,
                signatures: set.validators.enumerated().map { index, validator in
                    try CommitSignature(
                        vote: .commit, address: validator.address, time: time, signature: signature(index))
                })
        }
        let empty = try commit { _ in [UInt8](repeating: 0, count: 64) }
        let full = try commit { index in
            guard let key = keys.first(where: { $0.publicKey == set.validators[index].publicKey }) else {
                throw TrialChainError.time
            }
            return try key.sign(empty.signBytes(index, chainID: header.chainID))
        }
        return SignedHeader(header: header, commit: full)
    }

    /// The store `evm` in the state after a block.
    private static func tree(_ changes: [Change], after height: Int64) throws -> StoreTree {
        var values: [[UInt8]: [UInt8]] = [:]
        var version: Int64 = 1
        for change in changes where change.height <= height {
            values[change.key] = change.value
            version = change.height
        }
        let entries = values.sorted { $0.key.lexicographicallyPrecedes($1.key) }
        return try StoreTree(entries.map { (key: $0.key, value: $0.value) }, version: version)
    }

    /// What `abci_query` gives: a value of the state after a block, and both proofs.
    func query(
        store: [UInt8], key: [UInt8], after height: Int64
    ) throws -> (value: [UInt8], inStore: [UInt8], overStores: [UInt8])? {
        let (changes, last) = state.withLock { ($0.changes, Int64($0.blocks.count)) }
        guard 1...last ~= height else { throw TrialChainError.height }
        let tree = try Self.tree(changes, after: height)
        guard let found = tree.proof(of: key),
            let overStores = try StoreRoots(evm: tree.root).commitment(of: store)
        else { return nil }
        return (found.value, found.commitment, overStores)
    }
}

extension ChainTime {
    var aMillisecondLater: ChainTime? {
        let later = nanoseconds + 1_000_000
        return later < 1_000_000_000
            ? ChainTime(seconds: seconds, nanoseconds: later)
            : ChainTime(seconds: seconds + 1, nanoseconds: later - 1_000_000_000)
    }
}

public enum TrialChainError: Error, CustomStringConvertible {
    case full
    case height
    case time
    /// Answers that cannot be served; says why.
    case recording(String)

    public var description: String {
        switch self {
        case .full:
            "the trial chain has \(TrialChain.mostBlocks) blocks or \(TrialChain.mostChanges) changes, and takes no more: "
                + "start another"
        case .height: "there is no such height"
        case .recording(let reason): reason
        case .time: "the trial chain cannot make that block"
        }
    }
}

import LibCrypto
import SecretMemory

@testable import LightClient

/// A chain of throw-away keys: each height's validators by the number of their key and their power.
struct TestChain: Sendable {
    static let id = "kmsd-test-1"
    /// Seconds; each block a second later.
    static let start: Int64 = 1_700_000_000
    static let keys: [SigningKey] = (0..<200).map { number in
        let seed = [UInt8](repeating: UInt8(number + 1), count: 32)
        let key: SigningKey? = seed.withUnsafeBytes { bytes in
            guard let secret = try? SecretBytes(copying: bytes) else { return nil }
            return try? SigningKey(curve: .ed25519, privateKey: secret)
        }
        guard let key else { preconditionFailure("a test key cannot be made") }
        return key
    }

    typealias Members = [(key: Int, power: Int64)]

    private(set) var blocks: [SignedHeader] = []
    /// One more than blocks.
    private(set) var sets: [ValidatorSet] = []

    /// - Parameters:
    ///   - members: By height.
    ///   - salt: By height; another one makes another chain from there on.
    ///   - signs: Whether at a height a key signs.
    init(
        _ count: Int, members: (Int) -> Members = { _ in [(0, 10), (1, 10), (2, 10), (3, 10)] },
        salt: (Int) -> UInt8 = { _ in 0 }, signs: (Int, Int) -> Bool = { _, _ in true }
    ) throws {
        for height in 1...count + 1 { sets.append(try Self.set(members(height))) }
        var last = BlockID.none
        for height in 1...count {
            let set = sets[height - 1]
            let header = BlockHeader(
                blockVersion: 11, appVersion: 0, chainID: Self.id, height: Int64(height), time: Self.time(height),
                lastBlockID: last, lastCommitHash: Self.filler(1), dataHash: Self.filler(2), validatorsHash: set.hash,
                nextValidatorsHash: sets[height].hash, consensusHash: Self.filler(3),
                appHash: [salt(height)] + [UInt8](repeating: UInt8(height % 256), count: 31), lastResultsHash: [],
                evidenceHash: Self.filler(4), proposerAddress: set.validators[0].address)
            let block = try Self.sign(header, set) { signs(height, $0) }
            last = block.commit.blockID
            blocks.append(block)
        }
    }

    static func time(_ height: Int) -> ChainTime { ChainTime(seconds: start + Int64(height), nanoseconds: 5) ?? .zero }
    static func filler(_ byte: UInt8) -> [UInt8] { [UInt8](repeating: byte, count: 32) }

    static func set(_ members: Members) throws -> ValidatorSet {
        try ValidatorSet(members.map { try Validator(publicKey: keys[$0.key].publicKey, power: $0.power) })
    }

    /// The header with the votes of those of the set who sign.
    static func sign(
        _ header: BlockHeader, _ set: ValidatorSet, vote: CommitSignature.Vote = .commit, round: Int32 = 0,
        signs: (Int) -> Bool = { _ in true }
    ) throws -> SignedHeader {
        let id = try BlockID(hash: header.hash(), partCount: 1, partsHash: filler(9))
        let places = try set.validators.map { validator in
            guard let key = keys.firstIndex(where: { $0.publicKey == validator.publicKey }), signs(key) else {
                return try CommitSignature(vote: .absent, address: [], time: .zero, signature: [])
            }
            let time = ChainTime(seconds: header.time.seconds + 1, nanoseconds: UInt32(key)) ?? .zero
            let message = SignBytes.make(
                kind: SignBytes.precommit, height: header.height, round: Int64(round),
                blockID: vote == .commit ? id : .none, time: time, chainID: header.chainID)
            return try CommitSignature(
                vote: vote, address: validator.address, time: time, signature: keys[key].sign(message))
        }
        return SignedHeader(
            header: header, commit: try Commit(height: header.height, round: round, blockID: id, signatures: places))
    }

    subscript(height: Int) -> SignedHeader { blocks[height - 1] }
    func set(_ height: Int) -> ValidatorSet { sets[height - 1] }

    func trusted(_ height: Int) throws -> TrustedState {
        try TrustedState(header: self[height].header, nextValidators: set(height + 1))
    }

    /// A minute after its last block.
    var now: ChainTime { Self.time(blocks.count + 60) }

    static func rules(
        period: Int64 = 3_600, drift: Int64 = 10, level: TrustLevel = .oneThird
    ) throws -> HeaderRules {
        HeaderRules(try TrustRules(chainID: id, trustingPeriod: period, clockDrift: drift, trustLevel: level))
    }
}

/// What was thrown, if it was one of ours.
func code(_ body: () throws -> Void) -> LightClientError.Code? {
    do { try body() } catch { return (error as? LightClientError)?.code }
    return nil
}

/// As ``code(_:)``.
func asyncCode(_ body: () async throws -> Void) async -> LightClientError.Code? {
    do { try await body() } catch { return (error as? LightClientError)?.code }
    return nil
}

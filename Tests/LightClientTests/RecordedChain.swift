import Foundation

@testable import LightClient

/// The generated chain of six blocks: replies as a node gives them, read as a transport would.
struct RecordedChain: HeaderSource {
    let name = "recorded"
    private let commits: [String: [UInt8]]
    private let validators: [String: [UInt8]]
    let rules: TrustRules
    let height: Int64
    let hash: [UInt8]
    let now: ChainTime
    /// By height, of the proofs that are accepted.
    let appHashes: [Int64: [UInt8]]

    init() throws {
        let file = try VectorFile.read("chain.json")
        let trust = try file.object("trust")
        commits = try file.object("commit").mapValues { try VectorFile.text($0) }
        validators = try file.object("validators").mapValues { try VectorFile.text($0) }
        let level = try trust.text("trust_level").split(separator: "/").compactMap { Int64($0) }
        rules = try TrustRules(
            chainID: file.text("chain_id"), trustingPeriod: Int64(trust.number("period_s")),
            clockDrift: Int64(trust.number("max_clock_drift_s")),
            trustLevel: TrustLevel(numerator: level[0], denominator: level[1]))
        height = Int64(try trust.number("height"))
        hash = try trust.hex("hash")
        now = try file.time("now")
        var hashes: [Int64: [UInt8]] = [:]
        for proof in try file.objects("proofs") where try proof.text("expect") == "accept" {
            hashes[Int64(try proof.number("height"))] = try proof.hex("app_hash")
        }
        appHashes = hashes
    }

    func latestHeight() async throws -> Int64 { Int64(commits.count) }

    func signedHeader(at height: Int64) async throws -> SignedHeader { try block(height) }

    func block(_ height: Int64) throws -> SignedHeader {
        guard let reply = commits["\(height)"] else { throw VectorFile.Missing(name: "commit \(height)") }
        return try NodeReply.commit(reply)
    }

    func validators(at height: Int64) async throws -> ValidatorSet { try set(height) }

    func set(_ height: Int64) throws -> ValidatorSet {
        guard let reply = validators["\(height)"] else { throw VectorFile.Missing(name: "validators \(height)") }
        var pages = ValidatorPages(height: height)
        while pages.nextPage != nil { try pages.add(NodeReply.validators(reply)) }
        return try pages.set()
    }
}

import Encodings
import Foundation
import LibCrypto
import Testing

@testable import LightClient

@Suite(.timeLimit(.minutes(10))) struct ValidatorsTests {
    @Test func pagesMakeASetOnlyInTheirOrderAndWhole() throws {
        let all = try (0..<250).map { try Validator(publicKey: key($0), power: Int64($0 + 1)) }
        func page(_ range: Range<Int>, total: Int = 250, height: Int64 = 7) -> ValidatorsPage {
            ValidatorsPage(height: height, validators: Array(all[range]), total: total)
        }
        var pages = ValidatorPages(height: 7)
        #expect(code { _ = try pages.set() } == .malformed)
        for (number, range) in [0..<100, 100..<200, 200..<250].enumerated() {
            #expect(pages.nextPage == number + 1)
            let before = pages
            for wrong in [
                page(range, height: 8), page(range.dropLast()), page(range, total: 251), page(0..<0),
                page(range, total: number == 0 ? 99 : 249),
            ] where !(number == 0 && wrong.total == 251) {
                var copy = before
                #expect(code { try copy.add(wrong) } == .malformed)
            }
            try pages.add(page(range))
        }
        #expect(pages.nextPage == nil)
        #expect(code { try pages.add(page(0..<1)) } == .malformed)
        #expect(try pages.set() == ValidatorSet(all.reversed()))

        var twice = ValidatorPages(height: 7)
        try twice.add(page(0..<100, total: 200))
        try twice.add(page(0..<100, total: 200))
        #expect(code { _ = try twice.set() } == .invalid)
    }

    @Test func powersAddUpToAnEighthOfTheirRangeAtMost() throws {
        let limit = ChainLimits.totalPower
        func set(_ powers: [Int64]) throws -> ValidatorSet {
            try ValidatorSet(powers.enumerated().map { try Validator(publicKey: key($0), power: $1) })
        }
        #expect(try set([limit]).totalPower == limit)
        #expect(try set([limit - 1, 1]).totalPower == limit)
        #expect(code { _ = try set([limit, 1]) } == .invalid)
        #expect(code { _ = try set([.max, .max]) } == .invalid)
        #expect(code { _ = try set([.max, .max, 2]) } == .invalid)
        for power: Int64 in [0, -1, .min] { #expect(code { _ = try set([power]) } == .invalid) }
        #expect(code { _ = try set([]) } == .invalid)
        #expect(code { _ = try Validator(publicKey: [1], power: 1) } == .malformed)
        let one = try Validator(publicKey: key(1), power: 1)
        #expect(code { _ = try ValidatorSet([one, one]) } == .invalid)
        let stronger = try Validator(publicKey: key(1), power: 2)
        #expect(code { _ = try ValidatorSet([one, stronger]) } == .invalid)
        let many = [Validator](repeating: one, count: ChainLimits.validators + 1)
        #expect(code { _ = try ValidatorSet(many) } == .malformed)
    }

    @Test func theTrustLevelIsAThirdToAllAndNeverOverflows() throws {
        #expect(TrustLevel.oneThird.threshold(of: 10) == 3)
        #expect(TrustLevel.oneThird.threshold(of: ChainLimits.totalPower) == ChainLimits.totalPower / 3)
        let almost = try TrustLevel(numerator: 999_999, denominator: 1_000_000)
        #expect(almost.threshold(of: ChainLimits.totalPower) < ChainLimits.totalPower)
        #expect(try TrustLevel(numerator: 1, denominator: 1).threshold(of: .max) == .max)
        for (numerator, denominator): (Int64, Int64) in [
            (1, 4), (0, 1), (2, 1), (1, 0), (-1, -3), (.max, .max), (333_333, 1_000_000), (1, .min),
        ] {
            #expect(
                code { _ = try TrustLevel(numerator: numerator, denominator: denominator) } == .settings)
        }
    }

    @Test func aPageIsReadByCometBFTsRules() throws {
        let good = try page()
        #expect(try NodeReply.validators(Array(good.utf8)).validators.count == 1)
        for (found, instead, expected) in [
            (#""voting_power":"10""#, #""voting_power":10"#, LightClientError.Code.malformed),
            (#""voting_power":"10""#, #""voting_power":"0""#, .invalid),
            (#""voting_power":"10""#, #""voting_power":"-1""#, .invalid),
            ("PubKeyEd25519", "PubKeySecp256k1", .malformed), (#""count":"1""#, #""count":"2""#, .malformed),
            (#""count":"1""#, #""count":1"#, .malformed), (#""total":"1""#, #""total":"0""#, .malformed),
            (#""total":"1""#, #""total":"10001""#, .malformed), (#""total":"1""#, #""total":"-1""#, .malformed),
            (#""address":""#, #""address":"00"#, .malformed), (#""pub_key":{"#, #""pub_key":7,"x":{"#, .malformed),
            (#""value":""#, #""value":"AAAA"#, .malformed), ("validators", "validator", .malformed),
        ] {
            let changed = good.replacingOccurrences(of: found, with: instead)
            #expect(changed != good)
            #expect(code { _ = try NodeReply.validators(Array(changed.utf8)) } == expected, "\(instead)")
        }
        let other = good.replacingOccurrences(of: address(0), with: address(1))
        #expect(code { _ = try NodeReply.validators(Array(other.utf8)) } == .invalid)
        let item = good.drop { $0 != "[" }.dropFirst().prefix { $0 != "]" }
        let many = good.replacingOccurrences(
            of: item, with: [String](repeating: String(item), count: 101).joined(separator: ","))
        #expect(code { _ = try NodeReply.validators(Array(many.utf8)) } == .malformed)
    }

    func key(_ number: Int) -> [UInt8] { (try? Digest.sha256([UInt8(number % 256), UInt8(number / 256)])) ?? [] }
    func address(_ number: Int) -> String {
        Hexadecimal.encode(((try? Digest.sha256(key(number))) ?? []).prefix(20)).uppercased()
    }

    func page() throws -> String {
        """
        {"jsonrpc":"2.0","id":-1,"result":{"block_height":"7","validators":[{"address":"\(address(0))",\
        "pub_key":{"type":"tendermint/PubKeyEd25519","value":"\(Base64.encode(key(0)))"},"voting_power":"10",\
        "proposer_priority":"-5"}],"count":"1","total":"1"}}
        """
    }
}

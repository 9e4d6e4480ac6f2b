import Foundation
import Testing

@testable import LightClient

/// Sequences that a model checker has found, with the verdict on each step.
@Suite(.timeLimit(.minutes(10))) struct ModelTests {
    @Test func everyStepOfTheModelsSequencesIsJudgedAsItSays() throws {
        var verdicts: [String: Int] = [:]
        for file in try VectorFile.read("index.json").objects("files") where file["verdicts"] != nil {
            let name = try file.text("file")
            let sequence = try VectorFile.read(name)
            let initial = try sequence.object("initial")
            var trusted = try TrustedState(
                header: initial.object("signed_header").signedHeader().header,
                nextValidators: initial.object("next_validator_set").validatorSet())
            let nanoseconds = try #require(Int64(try initial.text("trusting_period")))
            let rules = HeaderRules(
                try TrustRules(
                    chainID: trusted.header.chainID, trustingPeriod: nanoseconds / 1_000_000_000, clockDrift: 0))
            for (index, item) in try sequence.objects("input").enumerated() {
                let expected = try item.text("verdict")
                var (verdict, reason) = ("SUCCESS", "")
                do {
                    let block = try item.object("block")
                    let signed = try block.object("signed_header").signedHeader()
                    try rules.stepForward(
                        from: trusted, to: signed, validators: block.object("validator_set").validatorSet(),
                        now: item.time("now"))
                    trusted = try TrustedState(
                        header: signed.header, nextValidators: block.object("next_validator_set").validatorSet())
                } catch let error as LightClientError {
                    (verdict, reason) = (error.code == .notEnoughTrust ? "NOT_ENOUGH_TRUST" : "INVALID", error.message)
                }
                #expect(verdict == expected, "\(name), step \(index): \(reason)")
                verdicts[verdict, default: 0] += 1
            }
        }
        #expect(verdicts == ["SUCCESS": 12, "NOT_ENOUGH_TRUST": 14, "INVALID": 4])
    }
}

import Encodings
import Testing

@testable import SplitKeys

@Suite(.timeLimit(.minutes(10))) struct TransactionTests {
    /// Vectors `gen-txnhash-00` and `gen-txnhash-02` of the split-key specification.
    @Test func hashesAreTheChains() throws {
        let first = SplitTransaction(
            hash: [], clientID: "2380dd615784c21aa7155cb442f408760a044ea1569f12b407580539257c28d6", publicKey: "",
            receiver: "6dba10422e368813802877a85039d3985d96760ed844092319743fb3a76712d7", value: 0, nonce: 1,
            createdAt: 1_700_000_000, data: "{\"name\":\"new_allocation_request\",\"input\":{\"data_shards\":4}}",
            function: nil)
        #expect(
            Hexadecimal.encode(try first.computedHash())
                == "dcdaf5672ac66b442f0b8981055b3b6470eb1b6fde5e7b6bccaed5f131868b1a")
        let second = SplitTransaction(
            hash: [], clientID: "646f0de479d946900bb402e2528d38cdd30f9c872472b704ccff3e0d2d15e027", publicKey: "",
            receiver: "741efa311f97686956946758e0d95f70f11ff2da4f2feb7c54314f44134ac49f", value: .max, nonce: 3,
            createdAt: 1_700_000_002, data: "", function: nil)
        #expect(
            Hexadecimal.encode(try second.computedHash())
                == "7c87abcdf06aa0cefaf26eab29ea2a13a8ce920916917e5d2c73e9003633a5de")
    }

    @Test func hexadecimalIsStrict() {
        #expect(Hexadecimal.decode("00fFA5", .either) == [0, 255, 165])
        for text in ["0", "0g", "０0", " 00", "0x00", "é0"] { #expect(Hexadecimal.decode(text, .either) == nil) }
        #expect(Hexadecimal.encode([0, 255, 165]) == "00ffa5")
    }

    @Test func groupsAreCheckedByName() throws {
        #expect(try Restrictions.check(["storage_rewards", "storage_rewards"]) == ["storage_rewards"])
        #expect(throws: SplitKeyError.self) { try Restrictions.check(["Storage_rewards"]) }
        #expect(throws: SplitKeyError.self) {
            try Restrictions.check([String](repeating: "storage_rewards", count: SplitPolicy.mostRestrictions + 1))
        }
    }
}

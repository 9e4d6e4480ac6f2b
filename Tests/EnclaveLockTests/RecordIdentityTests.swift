import Encodings
import Testing

@Suite("Record identity", .timeLimit(.minutes(10))) struct RecordIdentityTests {
    @Test func theCanonicalBytesAreThoseOfTheFormat() {
        let identity = RecordIdentity(tenant: "t", keystore: "ks", key: "", type: "é", version: 258)
        var expected: [UInt8] = [0, 0, 0, 23] + Array("kmsd/record-identity/v1".utf8)
        expected += [0, 0, 0, 1] + Array("t".utf8) + [0, 0, 0, 2] + Array("ks".utf8) + [0, 0, 0, 0]
        expected += [0, 0, 0, 2, 0xC3, 0xA9] + [0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 1, 2]
        #expect(identity.associatedData == expected)
    }

    @Test func differentIdentitiesHaveDifferentBytesHoweverTheirCharactersAreDivided() {
        let all = [Samples.identity] + Samples.otherIdentities
        #expect(Set(all.map(\.associatedData)).count == all.count)
    }

    @Test func anAbsentFieldDiffersFromAnEmptyOne() {
        var absent = RecordFields(.keyRow)
        absent.append(optional: nil)
        var empty = RecordFields(.keyRow)
        empty.append(optional: [])
        #expect(absent.bytes != empty.bytes)
    }
}

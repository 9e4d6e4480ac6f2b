import EnclaveLock
import Testing

@Suite("Record identity") struct RecordIdentityTests {
    @Test("The canonical bytes are those of the format") func canonical() {
        let identity = RecordIdentity(tenant: "t", keystore: "ks", key: "", type: "é", version: 258)
        var expected: [UInt8] = [0, 0, 0, 23] + Array("kmsd/record-identity/v1".utf8)
        expected += [0, 0, 0, 1] + Array("t".utf8) + [0, 0, 0, 2] + Array("ks".utf8) + [0, 0, 0, 0]
        expected += [0, 0, 0, 2, 0xC3, 0xA9] + [0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 1, 2]
        #expect(identity.associatedData == expected)
    }

    @Test("Different identities have different bytes, however their characters are divided") func distinct() {
        let all = [Samples.identity] + Samples.otherIdentities
        #expect(Set(all.map(\.associatedData)).count == all.count)
    }

    @Test("An absent field differs from an empty one") func optional() {
        var absent = RecordFields(.keyRow)
        absent.append(optional: nil)
        var empty = RecordFields(.keyRow)
        empty.append(optional: [])
        #expect(absent.bytes != empty.bytes)
    }
}

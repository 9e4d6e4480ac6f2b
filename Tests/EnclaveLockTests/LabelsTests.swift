import EnclaveLock
import HSMBridge
import Testing

@Suite("Domain separation") struct LabelsTests {
    @Test("No label repeats or begins another") func unique() {
        let labels = Labels.allCases.map(\.rawValue)
        #expect(Set(labels).count == labels.count)
        for label in labels {
            #expect(!labels.contains { $0 != label && $0.hasPrefix(label) }, "\(label) begins another label")
        }
    }

    @Test("What the result key signs has its label, in the form of all fields") func results() {
        var fields = RecordFields(.result)
        fields.append([1, 2, 3])
        #expect(ResultMessage([1, 2, 3]).encoded == fields.bytes)
    }

    @Test("Every label names its version") func versions() {
        for label in Labels.allCases {
            #expect(label.rawValue.wholeMatch(of: /kmsd(\/[a-z-]+)+\/v[0-9]+/) != nil, "\(label.rawValue)")
        }
    }
}

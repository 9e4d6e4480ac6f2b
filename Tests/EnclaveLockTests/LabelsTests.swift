import EnclaveLock
import Testing

@Suite("Domain separation") struct LabelsTests {
    @Test("No label repeats or begins another") func unique() {
        let labels = Labels.allCases.map(\.rawValue)
        #expect(Set(labels).count == labels.count)
        for label in labels {
            #expect(!labels.contains { $0 != label && $0.hasPrefix(label) }, "\(label) begins another label")
        }
    }

    @Test("Every label names its version") func versions() {
        for label in Labels.allCases {
            #expect(label.rawValue.wholeMatch(of: /kmsd(\/[a-z-]+)+\/v[0-9]+/) != nil, "\(label.rawValue)")
        }
    }
}

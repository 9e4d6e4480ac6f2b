import Encodings
import Testing
import Token

@Suite("Domain separation", .timeLimit(.minutes(10))) struct LabelsTests {
    @Test func noLabelRepeatsOrBeginsAnother() {
        let labels = Labels.allCases.map(\.rawValue)
        #expect(Set(labels).count == labels.count)
        for label in labels {
            #expect(!labels.contains { $0 != label && $0.hasPrefix(label) }, "\(label) begins another label")
        }
    }

    @Test func whatTheResultKeySignsHasItsLabelInTheFormOfAllFields() {
        var fields = RecordFields(.result)
        fields.append([1, 2, 3])
        #expect(ResultMessage([1, 2, 3]).encoded == fields.bytes)
    }

    @Test func everyLabelNamesItsVersion() {
        for label in Labels.allCases {
            #expect(label.rawValue.wholeMatch(of: /kmsd(\/[a-z-]+)+\/v[0-9]+/) != nil, "\(label.rawValue)")
        }
    }
}

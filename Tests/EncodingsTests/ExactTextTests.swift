import Encodings
import Foundation
import Testing

/// Texts that `String` takes for the same and that are not.
@Suite(.timeLimit(.minutes(10))) struct ExactTextTests {
    private let pairs = [
        ("Zo\u{eb}", "Zoe\u{308}"), ("K", "\u{212A}"), (";", "\u{37E}"), ("`", "\u{1FEF}"), ("\u{c5}", "\u{212B}"),
        ("\u{1100}\u{1161}", "\u{AC00}"),
    ]

    @Test func equivalentTextsAreDifferent() throws {
        for (left, right) in pairs {
            #expect(left == right)
            let texts = [ExactText(left), ExactText(right)]
            #expect(texts[0] != texts[1] && Set(texts).count == 2 && !left.isExactly(right))
            #expect(texts[0] == left && texts[0] != right && left == texts[0] && right != texts[0])
            #expect(
                texts.sorted().map { Array($0.utf8) }
                    == texts.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) })
            let coded = try JSONDecoder().decode([ExactText].self, from: try JSONEncoder().encode(texts))
            #expect(coded == texts)
        }
    }

    /// So a literal without K, ; and ` may be compared as `String`: nothing but itself is equal to it. The lint relies on it.
    @Test func onlyThreeCharactersHaveAnotherThatEqualsThem() {
        var twins: [String: [UInt32]] = [:]
        for value in UInt32(0x80)...0x10FFFF {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let text = String(Character(scalar))
            for ascii in ["K", ";", "`"] where text == ascii { twins[ascii, default: []].append(value) }
            // Whatever normalises to ASCII has to equal it.
            let normal = text.decomposedStringWithCanonicalMapping
            if normal.unicodeScalars.allSatisfy(\.isASCII) { #expect(["K", ";", "`"].contains(normal), "\(value)") }
        }
        #expect(twins == ["K": [0x212A], ";": [0x37E], "`": [0x1FEF]])
    }

    @Test func accentsHideNoDelimiter() {
        #expect("a,\u{301}b,c".split(separator: ",").count == 2)
        #expect(
            "a,\u{301}b,c".splitExactly(at: ",").map { Array($0.utf8) }
                == ["a", "\u{301}b", "c"].map { Array($0.utf8) })
        #expect("a\r\nb".splitExactly(at: "\n").count == 2)
        #expect("a==".splitExactly(at: "=", maxSplits: 1) == ["a", "="])
        #expect(",a,".splitExactly(at: ",") == ["", "a", ""])
        #expect(",a,".splitExactly(at: ",", omittingEmpty: true) == ["a"])
        #expect("a/\u{301}b".containsExactly("/") && !"a/\u{301}b".contains("/"))
        #expect("/v1/\u{301}".startsExactly(with: "/v1/"))
        #expect(!"\u{212A}ms".startsExactly(with: "K") && !"a\u{212A}".endsExactly(with: "K"))
        #expect("x/".endsExactly(with: "/") && !"/".endsExactly(with: "x/"))
        #expect("ab".removing(exactPrefix: "a") == "b" && "ab".removing(exactPrefix: "b") == nil)
        #expect(Array("\t x\u{301} ".trimmingBlanks().utf8) == Array("x\u{301}".utf8))
    }

    @Test func onlyASCIIChangesItsCase() {
        #expect("\u{212A}".lowercased() == "k")
        #expect("K\u{212A}Z\u{130}".asciiLowercased().isExactly("k\u{212A}z\u{130}"))
        #expect("\u{17F}".uppercased() == "S")
        #expect("s\u{17F}a".asciiUppercased().isExactly("S\u{17F}A"))
    }

    private enum Unit: String { case key = "K" }

    @Test func namesOfCasesAreExact() {
        #expect(Unit(exactly: "\u{212A}") == nil && Unit(exactly: "K") == .key)
    }
}

@Suite(.timeLimit(.minutes(10))) struct NamingTextTests {
    @Test func namesHaveNoControlCharactersAndAnEnd() {
        for name in [
            "a", "Zo\u{eb}", "Zoe\u{308}", "\u{5d3}\u{5d5}\u{5d3}", "a b", "\u{1F468}\u{200D}\u{1F469}", "\u{a0}",
            "\u{2764}\u{FE0F}", "\u{645}\u{6CC}\u{200C}\u{62E}",
        ] {
            #expect(NamingText.problem(name, limit: 64) == nil, "\(name)")
        }
        for scalar: Unicode.Scalar in [
            "\u{0}", "\u{1}", "\n", "\r", "\t", "\u{1b}", "\u{7f}", "\u{80}", "\u{85}", "\u{9f}", "\u{200e}",
            "\u{200f}",
            "\u{2028}", "\u{2029}", "\u{202a}", "\u{202e}", "\u{2066}", "\u{2069}", "\u{61c}", "\u{feff}", "\u{fffe}",
            "\u{10ffff}", "\u{e0041}", "\u{ad}", "\u{34f}", "\u{115f}", "\u{1160}", "\u{17b4}", "\u{180e}", "\u{3164}",
            "\u{ffa0}", "\u{1d173}", "\u{1bca0}", "\u{e0100}", "\u{e0fff}",
        ] {
            for name in ["a\(scalar)b", "\(scalar)", "ab\(scalar)"] {
                #expect(NamingText.problem(name, limit: 64) != nil, "\(scalar.value)")
            }
        }
        #expect(NamingText.problem("", limit: 64) != nil)
        #expect(NamingText.problem("abc", limit: 3) == nil && NamingText.problem("abcd", limit: 3) != nil)
    }
}

import Testing

@testable import KMSCommand

@Suite(.timeLimit(.minutes(10))) struct AuditTextTests {
    /// No name reads like a field, like two words, or like nothing.
    @Test func wordsOfARecordStayApart() {
        for plain in ["ks/k", "did:key:z6Mk#z6Mk", "uid:0", "split:a:b", "x%1b"] {
            #expect(AuditText.word(plain) == plain)
        }
        #expect(AuditText.word("") == "-")
        #expect(AuditText.word("eve ok r1 epoch=9") == "\"eve ok r1 epoch=9\"")
        #expect(AuditText.word("a=b") == "\"a=b\"")
        #expect(AuditText.word("\" by \"") == "\"\\u{22} by \\u{22}\"")
        #expect(AuditText.word("a\nb\u{202E}") == "\"a\\u{a}b\\u{202e}\"")
    }

    @Test func anyTimeHasAText() {
        #expect(AuditText.time(0) == "1970-01-01T00:00:00.000Z")
        #expect(AuditText.time(.min) == "1970-01-01T00:00:00.000Z")
        #expect(AuditText.time(.max) == "9999-12-31T23:59:59.999Z")
    }
}

import HTTPTypes
import Testing

@testable import KMSServer

@Suite struct AuditedRouteTests {
    /// Whatever needs an authority is a decision; whatever needs none decides nothing.
    @Test func everyRouteIsRecordedOrDecidesNothing() {
        var targets: [Target] = [
            .keystores, .did, .keystore("ks"), .keys(keystore: "ks"), .key(keystore: "ks", key: "k"), .healthcheck,
            .livez,
            .readyz, .openapi,
        ]
        targets += Target.Action.allCases.map { .action($0, keystore: "ks", key: "k") }
        for agreement in Target.Agreement.allCases {
            if agreement.fits(key: true) { targets.append(.agreement(agreement, keystore: "ks", key: "k")) }
            if agreement.fits(key: false) { targets.append(.agreement(agreement, keystore: "ks", key: nil)) }
        }
        var names: [String: Target] = [:]
        for target in targets {
            let routes = [HTTPRequest.Method.get, .post, .put, .delete].compactMap { target.audited($0) }
            switch target {
            case .healthcheck, .livez, .readyz, .openapi: #expect(routes.isEmpty)
            default: #expect(!routes.isEmpty, "\(target)")
            }
            for route in routes {
                if case .agreement = target {
                } else {
                    #expect(names.updateValue(target, forKey: route.operation) == nil)
                }
                #expect(route.subject.isEmpty || route.subject.hasPrefix("ks"))
            }
        }
        #expect(Target.key(keystore: "ks", key: "k").audited(.delete)?.kind == .change)
        #expect(Target.action(.sign, keystore: "ks", key: "k").audited(.get) == nil)
        #expect(Target.action(.correctnessproof, keystore: "ks", key: "k").audited(.get)?.kind == .use)
        #expect(Target.action(.sign, keystore: "ks", key: "k").audited(.post)?.kind == .use)
        #expect(Target.action(.export, keystore: "ks", key: "k").audited(.get)?.kind == .change)
        #expect(Target.action(.attestation, keystore: "ks", key: "k").audited(.get)?.kind == .change)
    }

    @Test func wordsOfOthersAreHarmless() {
        #expect(HarmlessText.of("plain é 漢 — ok") == "plain é 漢 — ok")
        #expect(HarmlessText.of("\u{1B}[2J\r\n\u{0}\u{7F}") == "\\u{1b}[2J\\u{d}\\u{a}\\u{0}\\u{7f}")
        #expect(
            HarmlessText.of("\u{202E}\u{200B}\u{2028}\u{9B}\u{FEFF}") == "\\u{202e}\\u{200b}\\u{2028}\\u{9b}\\u{feff}")
        #expect(HarmlessText.of("\\u{1b}") == "\\u{5c}u{1b}")
    }

    @Test func anyTimeHasAText() {
        #expect(AuditText.time(0) == "1970-01-01T00:00:00.000Z")
        #expect(AuditText.time(.min) == "1970-01-01T00:00:00.000Z")
        #expect(AuditText.time(.max) == "9999-12-31T23:59:59.999Z")
    }
}

import Testing

@testable import KMSServer

@Suite("Paths of the first generation")
struct LegacyTargetTests {
    @Test("Known paths, and what guards them")
    func known() {
        #expect(LegacyTarget(path: "/kms/keystores") == .same(.keystores))
        #expect(LegacyTarget(path: "/kms/keystores/a/keys") == .same(.keys(keystore: "a")))
        #expect(LegacyTarget(path: "/kms/keystores/a/import") == .importKey(keystore: "a"))
        #expect(LegacyTarget(path: "/kms/keystores/a/capability") == .vaultCapability(keystore: "a"))
        #expect(
            LegacyTarget(path: "/kms/keystores/a/import")?.authority == .keystore(action: "importKey", keystore: "a"))
        #expect(LegacyTarget(path: "/kms/keystores")?.authority == .createKeystore)
        for verb in [
            "export", "sign", "verify", "encrypt", "decrypt", "computemac", "verifymac", "signmulti", "verifymulti",
            "deriveproof", "verifyproof",
        ] {
            let target = LegacyTarget(path: "/kms/keystores/a/keys/b/\(verb)")
            #expect(target?.isRead == (verb == "export"))
            guard case .keystore(_, "a")? = target?.authority else {
                Issue.record("\(verb) is not guarded")
                continue
            }
        }
        for path in ["a/wrap", "a/keys/b/unwrap", "a/keys/b/easy", "a/easyopen", "a/sealopen"] {
            let target = LegacyTarget(path: "/kms/keystores/\(path)"[...])
            guard case .keystore(_, "a")? = target?.authority else {
                Issue.record("\(path) is not guarded")
                continue
            }
        }
    }

    @Test(
        "Everything else is unknown",
        arguments: [
            "/kms", "/kms/", "/kmss/keystores", "/v1/keystores", "/kms/v1/keystores", "/kms/keystores/a",
            "/kms/keystores/a/keys/b", "/kms/keystores//import", "/kms/keystores/a/import/", "/kms/keystores/did",
            "/kms/keystores/a/keys/b/rotate", "/kms/keystores/a/keys/b/wrap", "/kms/keystores/a/keys/b/disable",
            "/kms/keystores/a/keys/b/blind", "/kms/healthcheck", "/kms/livez",
        ])
    func unknown(_ path: String) { #expect(LegacyTarget(path: path[...]) == nil) }
}

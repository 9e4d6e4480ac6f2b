import Encodings
import Testing
import Token

/// On whose behalf a device is called.
@Suite(.timeLimit(.minutes(10))) struct TokenTenantTests {
    private func tenant(_ name: String) -> TokenTenant { TokenTenant(ExactText(name)) }

    @Test func oneNameIsOneTenant() async {
        #expect(tenant("did:key:a") == tenant("did:key:a"))
        #expect(tenant("Zo\u{eb}") != tenant("Zoe\u{308}"))
        #expect(TokenTenant.current == .daemon)
        let inside = await tenant("a").run { await Task { TokenTenant.current }.value }
        #expect(inside == tenant("a"))
        #expect(TokenTenant.current == .daemon)
    }
}

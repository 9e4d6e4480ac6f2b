import Testing

@testable import SplitKeys

/// Wallets whose infrastructure share is a key of a TPM.
@Suite(.timeLimit(.minutes(10))) struct TPMSuiteTests {
    @Test func aTPMsSuiteNeedsAToken() async throws {
        let fixture = try SplitFixture(hasWholePoints: false)
        let caller = try fixture.caller()
        #expect(
            await code { _ = try await fixture.vault.createWallet(suite: .blsTPM, caller: caller) } == .unsupported)
        #expect(try await fixture.vault.wallets(caller: caller).isEmpty)
    }

    @Test func aTPMsWalletTakesAnExistingKey() async throws {
        let fixture = try SplitFixture()
        let caller = try fixture.caller()
        let secret = try SplitSuite.blsTPM.generate()
        let wallet = try await fixture.vault.store(secret, suite: .blsTPM, caller: caller)
        #expect(wallet.clientKey == (try SplitSuite.blsTPM.publicKey(of: secret, operand: "")))
        #expect(wallet.protection == .anchored)
        let key = try await fixture.vault.createKey(client: wallet.clientID, options: SplitKeyOptions(), caller: caller)
        #expect(try SplitSuite.blsTPM.sum(key.publicKey, key.peerKey) == wallet.clientKey)
    }
}

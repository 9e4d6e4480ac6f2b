import Testing
import Token

@testable import HSMBridge

/// What an operator is told when several tokens are meant.
@Suite(.timeLimit(.minutes(10))) struct TokenSearchTests {
    private static let one = TokenIdentity(
        label: "NSS Generic Crypto Services", serial: "0", manufacturer: "M", model: "3")
    private static let other = TokenIdentity(label: "NSS Certificate DB", serial: "0", manufacturer: "M", model: "3")

    /// NSS and tpm2-pkcs11 give every token the serial number of zeros.
    @Test func whatTellsThemApartIsNamed() {
        let error = TokenSearch.ambiguous([Self.one, Self.other], TokenURI(serial: "0"))
        #expect(error.code == .tokenMismatch)
        #expect(error.message.contains("Add 'token=' ('NSS Generic Crypto Services', 'NSS Certificate DB')."))
        #expect(!error.message.contains("serial='"))
    }

    @Test func whatWasGivenAlreadyIsNotAskedForAgain() {
        var twin = Self.one
        twin.serial = "1"
        let bySerial = TokenSearch.ambiguous([Self.one, twin], TokenURI(token: Self.one.label))
        #expect(bySerial.message.contains("Add 'serial=' ('0', '1')."))
        let hopeless = TokenSearch.ambiguous([Self.one, Self.one], TokenURI(token: Self.one.label, serial: "0"))
        #expect(hopeless.message.contains("Nothing that they say of themselves tells them apart"))
    }
}

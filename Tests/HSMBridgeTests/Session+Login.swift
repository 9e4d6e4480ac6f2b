import SecretMemory
import Token

@testable import HSMBridge

extension Session {
    /// Logs in without the product's guard against repeating a refused PIN; for tests that open sessions themselves.
    borrowing func login(pin: borrowing SecretBytes) throws {
        let value = loginResult(pin: pin)
        guard value.isLoggedIn else { throw HSMError.returned(value, by: "C_Login") }
    }
}

internal import CSodium

/// The one door to libsodium, whose functions answer 0 for success and -1 otherwise, without a reason.
enum Sodium {
    /// Passes when `status` is zero.
    @inline(__always)
    static func check(
        _ call: StaticString, _ status: Int32, _ code: LibCryptoError.Code
    ) throws(LibCryptoError) {
        if status != 0 { throw LibCryptoError(code, "\(call) failed.") }
    }

    /// Chooses implementations for this processor; 1 means that it was done before.
    static func initialise() throws(LibCryptoError) {
        guard sodium_init() >= 0 else { throw LibCryptoError(.internalFailure, "sodium_init failed.") }
    }
}

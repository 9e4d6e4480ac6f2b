import LibCrypto

/// The code of the error that `body` throws, or nil if it returns.
func code(_ body: () throws -> Void) -> LibCryptoError.Code? {
    do {
        try body()
        return nil
    } catch {
        return (error as? LibCryptoError)?.code
    }
}

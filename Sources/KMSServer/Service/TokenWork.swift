import HSMBridge

/// Runs one piece of work with the token connected, and disconnects whatever happens.
enum TokenWork {
    /// - Parameter timeout: For the connection.
    static func with<R>(
        _ configuration: TokenConfiguration, timeout: Duration = .seconds(10),
        _ body: (PKCS11Token) async throws -> R
    ) async throws -> R {
        let token = PKCS11Token(configuration: configuration)
        token.start()
        do {
            try await token.waitUntilReady(timeout: timeout)
            let result = try await body(token)
            await token.shutdown()
            return result
        } catch {
            await token.shutdown()
            throw error
        }
    }
}

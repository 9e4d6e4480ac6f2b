import HSMBridge
import TPMBridge

/// Runs one piece of work with the token connected, and disconnects whatever happens.
enum TokenWork {
    /// - Parameter timeout: For the connection.
    static func with<R>(
        _ configuration: TokenConfiguration, timeout: Duration = .seconds(10),
        _ body: (PKCS11Token) async throws -> R
    ) async throws -> R {
        try await check(.pkcs11(configuration))
        return try await run(PKCS11Token(configuration: configuration), timeout: timeout, body)
    }

    /// The same with whichever device is configured.
    static func withBackend<R>(
        _ configuration: BackendConfiguration, timeout: Duration = .seconds(10),
        _ body: (any TokenBackend) async throws -> R
    ) async throws -> R {
        try await check(configuration)
        return try await run(configuration.makeToken(), timeout: timeout) { token in try await body(token) }
    }

    /// The same with the TPM of `settings`, which must be the provisioned one.
    ///
    /// - Throws: ``ConfigurationError`` if `token-uri` names no TPM.
    static func withTPM<R>(_ settings: Configuration, _ body: (TPMToken) async throws -> R) async throws -> R {
        guard let manifest = try ManifestFile(home: settings.home).read() else {
            throw ConfigurationError("'\(settings.manifestPath)' is not there: run `kmsd init` once")
        }
        guard case .tpm(let configuration) = try BackendConfiguration(settings, manifest: manifest) else {
            throw ConfigurationError("this command is for a TPM; token-uri names a PKCS #11 token")
        }
        try await check(.tpm(configuration))
        return try await run(TPMToken(configuration: configuration), timeout: .seconds(10), body)
    }

    /// What waiting would not mend is told at once: a PIN file that is refused, and a module without such a token.
    private static func check(_ configuration: BackendConfiguration) async throws {
        _ = try configuration.pinSource.load()
        if case .pkcs11(let token) = configuration, token.manifest == nil {
            _ = try await TokenInventory.token(matching: token.uri)
        }
    }

    private static func run<Token: TokenBackend, R>(
        _ token: Token, timeout: Duration, _ body: (Token) async throws -> R
    ) async throws -> R {
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

package import HSMBridge
package import KMSConfiguration
package import TPMBridge
package import Token

/// Runs one piece of work with the token connected, and disconnects whatever happens.
package enum TokenWork {
    /// - Parameter timeout: For the connection.
    package static func with<R>(
        _ configuration: TokenConfiguration, timeout: Duration = .seconds(10),
        _ body: (PKCS11Token) async throws -> R
    ) async throws -> R {
        try await check(.pkcs11(configuration), timeout: timeout)
        return try await run(PKCS11Token(configuration: configuration), timeout: timeout, body)
    }

    /// The same with whichever device is configured.
    package static func withBackend<R>(
        _ configuration: BackendConfiguration, timeout: Duration = .seconds(10),
        _ body: (any TokenBackend) async throws -> R
    ) async throws -> R {
        try await check(configuration, timeout: timeout)
        return try await run(configuration.makeToken(), timeout: timeout) { token in try await body(token) }
    }

    /// The same with the TPM of `settings`, which must be the provisioned one.
    ///
    /// - Throws: ``ConfigurationError`` if `token-uri` names no TPM.
    package static func withTPM<R>(
        _ settings: Configuration, timeout: Duration = .seconds(10), _ body: (TPMToken) async throws -> R
    ) async throws -> R {
        guard let manifest = try ManifestFile(home: settings.home).read() else {
            throw LostManifest.missing(settings)
        }
        guard case .tpm(let configuration) = try BackendConfiguration(settings, manifest: manifest) else {
            throw ConfigurationError("this command is for a TPM; token-uri names a PKCS #11 token")
        }
        try await check(.tpm(configuration), timeout: timeout)
        return try await run(TPMToken(configuration: configuration), timeout: timeout, body)
    }

    /// What waiting would not change is reported at once: a PIN file that is refused, and a module without such a token.
    private static func check(_ configuration: BackendConfiguration, timeout: Duration) async throws {
        try configuration.checkPIN()
        if case .pkcs11(let token) = configuration, token.manifest == nil {
            _ = try await TokenInventory.token(
                matching: token.uri, initialisation: token.moduleInitialisation, timeout: timeout)
        }
    }

    /// How long a refusal that only a person can mend must last to be believed.
    private static let refusalLasts = Duration.milliseconds(500)

    /// Waits until requests are served; what waiting does not change is reported within a second.
    package static func wait(for token: any TokenBackend, timeout: Duration) async throws {
        let limit = ContinuousClock.now + timeout
        var refused: ContinuousClock.Instant?
        while true {
            switch token.health {
            case .ready: return
            case .refused(let error):
                let since = refused ?? .now
                refused = since
                if since + refusalLasts <= .now { throw error }
            case .starting, .unavailable: refused = nil
            }
            guard limit > .now else { return try await token.waitUntilReady(timeout: .zero) }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private static func run<Token: TokenBackend, R>(
        _ token: Token, timeout: Duration, _ body: (Token) async throws -> R
    ) async throws -> R {
        token.start()
        do {
            try await wait(for: token, timeout: timeout)
            let result = try await body(token)
            await end(token)
            return result
        } catch {
            await end(token)
            throw error
        }
    }

    /// Ends the token's threads. One that hangs in the module, in a call that nobody can end, is left behind: what the verb has to
    /// say is known by then, and the process ends with it.
    ///
    /// - Parameter limit: Longer than the sessions are given to be closed.
    package static func end(_ token: any TokenBackend, within limit: Duration = .seconds(4)) async {
        let (ended, signal) = AsyncStream.makeStream(of: Void.self)
        Task {
            await token.shutdown()
            signal.finish()
        }
        let clock = Task {
            try? await Task.sleep(for: limit)
            signal.finish()
        }
        for await _ in ended {}
        clock.cancel()
    }
}

public import HSMBridge
public import Token

extension SoftHSMToken {
    /// How a test reaches this token: quick checks, and nothing shared with other tests.
    public func configuration(manifest: TokenManifest? = nil) -> TokenConfiguration {
        TokenConfiguration(
            uri: uri, pinSource: pinSource, cryptoSessions: 2, callTimeout: .seconds(20), manifest: manifest,
            healthInterval: .milliseconds(100), reconnectCeiling: .milliseconds(200))
    }

    /// A started token with all role keys on it; shut it down at the end of the test.
    public func provisioned(
        observer: any CallObserver = SilentObserver(), faults: FaultPlan? = nil, healthInterval: Duration? = nil,
        rootLock: RootLockMechanism? = nil
    ) async throws -> PKCS11Token {
        var configuration = self.configuration()
        configuration.rootLock = rootLock
        if let healthInterval { configuration.healthInterval = healthInterval }
        let token = PKCS11Token(configuration: configuration, observer: observer, faults: faults)
        token.start()
        try await token.waitUntilReady(timeout: .seconds(120))
        _ = try await token.provision(instance: TokenManifest.makeInstance())
        return token
    }
}

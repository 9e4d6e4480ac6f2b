package import HSMBridge
package import KMSConfiguration
package import TPMBridge
package import Token

/// How to reach the configured device, whichever kind it is.
package enum BackendConfiguration {
    case pkcs11(TokenConfiguration)
    case tpm(TPMConfiguration)

    /// - Throws: ``ConfigurationError`` if the URI is missing or lacks what a daemon needs.
    package init(_ settings: Configuration, manifest: TokenManifest?) throws {
        guard let address = settings.tpm else {
            self = .pkcs11(try TokenConfiguration(settings, manifest: manifest))
            return
        }
        guard let source = address.pinSource else {
            throw ConfigurationError("token-uri lacks 'pin-source=file:/path' or 'pin-source=credential:NAME'")
        }
        self = .tpm(
            TPMConfiguration(
                address: address, pinSource: try PINSource(parsing: source),
                ownerSource: try address.ownerSource.map { source throws(HSMError) in try PINSource(parsing: source) },
                queueLimit: settings.tokenQueue, callTimeout: settings.tokenTimeout,
                policies: PolicyFile(home: settings.home), manifest: manifest))
    }

    var pinSource: PINSource {
        switch self {
        case .pkcs11(let configuration): configuration.pinSource
        case .tpm(let configuration): configuration.pinSource
        }
    }

    /// Whether the PIN can be read, which is known before anything is tried with it. The secret of a TPM's keys may be any bytes.
    func checkPIN() throws(HSMError) {
        switch self {
        case .pkcs11(let configuration): _ = try configuration.pinSource.loadLine()
        case .tpm(let configuration): _ = try configuration.pinSource.load()
        }
    }

    /// The device, not connected yet.
    func makeToken(observer: any CallObserver = SilentObserver()) -> any TokenBackend {
        switch self {
        case .pkcs11(let configuration): PKCS11Token(configuration: configuration, observer: observer)
        case .tpm(let configuration): TPMToken(configuration: configuration, observer: observer)
        }
    }
}

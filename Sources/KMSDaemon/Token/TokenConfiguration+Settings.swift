import HSMBridge
package import KMSConfiguration
package import Token

extension TokenConfiguration {
    /// How to reach the configured token.
    ///
    /// - Throws: ``ConfigurationError`` if the URI is missing or lacks what a daemon needs.
    package init(_ configuration: Configuration, manifest: TokenManifest?) throws {
        guard configuration.tpm == nil else {
            throw ConfigurationError("this command is for PKCS #11 tokens; token-uri names a TPM")
        }
        guard let uri = configuration.token else {
            throw ConfigurationError(
                "no token is configured; give --token-uri or KMS_TOKEN_URI, such as 'pkcs11:token=kmsd?"
                    + "module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/var/lib/kmsd/user.pin'")
        }
        guard uri.modulePath != nil else { throw ConfigurationError("token-uri lacks 'module-path='") }
        guard uri.token != nil || uri.serial != nil else {
            throw ConfigurationError("token-uri names no token; add 'token=' or 'serial='")
        }
        guard let source = uri.pinSource else {
            throw ConfigurationError("token-uri lacks 'pin-source=file:/path' or 'pin-source=credential:NAME'")
        }
        self.init(
            uri: uri, pinSource: try PINSource(parsing: source),
            moduleInitialisation: configuration.moduleInitialisation,
            cryptoSessions: configuration.tokenSessions ?? TokenConfiguration.defaultSessions,
            queueLimit: configuration.tokenQueue, callTimeout: configuration.tokenTimeout, manifest: manifest)
    }
}

import NIOSSL

/// Which listener certificates are for.
package struct ListenerRole: Sendable {
    /// Of the authorities of its clients.
    let authoritySetting: String
    /// By ALPN.
    let protocols: [String]
    /// What clients must show where there are authorities.
    let verification: CertificateVerification
    /// In a sentence of the log.
    let clients: String

    /// Clients may show a certificate.
    package static let https = ListenerRole(
        authoritySetting: "tls-client-cacerts", protocols: ["http/1.1"], verification: .optionalVerification,
        clients: "clients")
    /// Clients must show one; it names them, and not a host.
    package static let decryption = ListenerRole(
        authoritySetting: "decryption-client-cacerts", protocols: ["grpc-exp", "h2"],
        verification: .noHostnameVerification, clients: "the decryption API's clients")
}

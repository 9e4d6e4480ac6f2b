import NIOSSL

/// Which authorities may vouch for other servers.
public struct OutboundTrust: Sendable {
    let configuration: TLSConfiguration
    /// Those of the files.
    public let authorities: [FiledCertificate]
    /// Of the files.
    public var count: Int { authorities.count }

    /// - Parameters:
    ///   - files: PEM files with certificates, by absolute path or as `credential:NAME`; with some, only they count unless `system` is true.
    ///   - system: Also the authorities that the system trusts; without files they count in any case.
    /// - Throws: `.configurationRefused` naming the file.
    /// - Concurrency: reads files; call it at start.
    public init(files: [String] = [], system: Bool = false) throws(OutboundError) {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.certificateVerification = .fullVerification
        var extra: [FiledCertificate] = []
        for file in files { extra += try FiledCertificate.read(file, upTo: 4 << 20) }
        let certificates = extra.map(\.certificate)
        if !extra.isEmpty {
            if system {
                configuration.additionalTrustRoots = [.certificates(certificates)]
            } else {
                configuration.trustRoots = .certificates(certificates)
            }
        }
        self.configuration = configuration
        authorities = extra
    }

    /// Whether the same authorities count.
    public func isSame(as other: OutboundTrust) -> Bool { configuration.bestEffortEquals(other.configuration) }
}

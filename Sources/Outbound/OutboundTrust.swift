import NIOSSL

/// Which authorities may vouch for other servers.
public struct OutboundTrust: Sendable {
    let configuration: TLSConfiguration

    /// - Parameters:
    ///   - files: PEM files with certificates; with some, only they count unless `system` is true.
    ///   - system: Also the authorities that the system trusts; without files they count in any case.
    /// - Throws: `.configurationRefused` naming the file.
    /// - Concurrency: reads files; call it at start.
    public init(files: [String] = [], system: Bool = false) throws(OutboundError) {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.certificateVerification = .fullVerification
        var extra: [NIOSSLCertificate] = []
        for file in files {
            do {
                let found = try NIOSSLCertificate.fromPEMFile(file)
                guard !found.isEmpty else {
                    throw OutboundError(.configurationRefused, "'\(file)' holds no certificate")
                }
                extra += found
            } catch let error as OutboundError {
                throw error
            } catch {
                throw OutboundError(.configurationRefused, "'\(file)' cannot be read as PEM certificates: \(error)")
            }
        }
        if !extra.isEmpty {
            if system {
                configuration.additionalTrustRoots = [.certificates(extra)]
            } else {
                configuration.trustRoots = .certificates(extra)
            }
        }
        self.configuration = configuration
    }
}

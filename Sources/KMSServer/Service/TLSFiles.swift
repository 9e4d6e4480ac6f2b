import CoreFoundation
import Glibc
import NIOSSL

/// Reads the listener's certificate and key.
enum TLSFiles {
    /// TLS 1.2 at least, as the API's original server; the key file must be closed to others.
    ///
    /// - Parameter clientAuthorities: PEM files; with them, clients may show a certificate, which must then be valid.
    static func load(_ files: Configuration.TLSFiles, clientAuthorities: [String] = []) throws -> TLSConfiguration {
        var info = stat()
        guard stat(files.key, &info) == 0 else {
            throw ConfigurationError("tls-serve-key '\(files.key)': \(String(cString: strerror(errno)))")
        }
        guard info.st_mode & 0o077 == 0, info.st_uid == geteuid() || info.st_uid == 0 else {
            throw ConfigurationError("tls-serve-key '\(files.key)' can be read by others; chmod 600 it")
        }
        do {
            let chain = try NIOSSLCertificate.fromPEMFile(files.certificate)
            guard !chain.isEmpty else { throw ConfigurationError("tls-serve-cert '\(files.certificate)' is empty") }
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) },
                privateKey: .privateKey(try NIOSSLPrivateKey(file: files.key, format: .pem)))
            configuration.minimumTLSVersion = .tlsv12
            configuration.applicationProtocols = ["http/1.1"]
            if !clientAuthorities.isEmpty {
                configuration.trustRoots = .certificates(try clientAuthorities.flatMap(authorities))
                configuration.certificateVerification = .optionalVerification
            }
            // Proves now that key and certificate belong together, not at the first connection.
            _ = try NIOSSLContext(configuration: configuration)
            return configuration
        } catch let error as ConfigurationError {
            throw error
        } catch {
            throw ConfigurationError(
                "tls-serve-cert '\(files.certificate)' and tls-serve-key '\(files.key)' cannot be used: \(error)")
        }
    }

    private static func authorities(_ path: String) throws -> [NIOSSLCertificate] {
        do {
            let certificates = try NIOSSLCertificate.fromPEMFile(path)
            guard !certificates.isEmpty else { throw ConfigurationError("it holds no certificate") }
            return certificates
        } catch {
            throw ConfigurationError("tls-client-cacerts '\(path)' cannot be used: \(error)")
        }
    }
}

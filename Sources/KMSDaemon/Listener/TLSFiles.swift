import Encodings
import Glibc
import HTTPAPI
import KMSConfiguration
import LibCrypto
import NIOSSL
import OutboundHTTP
import SecretMemory

/// Reads the listener's certificates and key.
enum TLSFiles {
    /// In bytes; more than a chain or a bundle of authorities needs.
    private static let longestCertificates = 1 << 20
    private static let keyLengths = 1...65_536

    /// What the files say at this moment, proven to belong together.
    struct Content {
        var context: NIOSSLContext
        var role: ListenerRole
        /// The server's certificate first.
        var chain: [CertificateFacts]
        var authorities: [CertificateFacts]

        /// What is not valid at `time`, or refused by others, each with its setting and file.
        func problems(at time: Timestamp) -> [String] {
            let own = chain.enumerated().flatMap { index, facts in
                let who = index == 0 ? "the server's certificate" : "the chain's certificate"
                return facts.problems(at: time, "tls-serve-cert: \(who)", index == 0 ? .server : .chain)
            }
            return own
                + authorities.flatMap { $0.problems(at: time, "\(role.authoritySetting): one", .authority) }
        }
    }

    /// TLS 1.2 at least, as TrustBloc's server; the key file must be closed to others.
    ///
    /// - Parameter clientAuthorities: PEM files; with them, clients may show a certificate, which must then be valid, or must
    ///   show one, as the role says.
    /// - Throws: ``ConfigurationError`` naming the file that cannot be used, and why.
    /// - Concurrency: reads files; call it at start or off the cooperative pool.
    static func load(
        _ files: Configuration.TLSFiles, clientAuthorities: [String] = [], role: ListenerRole = .https
    ) throws -> Content {
        do throws(Mismatch) {
            return try loadOnce(files, clientAuthorities, role)
        } catch .belongsToAnother {
            // Files that are being renewed may be read one before and one after: the second look is at both new ones.
            do throws(Mismatch) {
                return try loadOnce(files, clientAuthorities, role)
            } catch .belongsToAnother(let message) {
                throw ConfigurationError(message)
            } catch .other(let error) {
                throw error
            }
        } catch .other(let error) {
            throw error
        }
    }

    private enum Mismatch: Error {
        case belongsToAnother(String)
        case other(ConfigurationError)
    }

    private static func loadOnce(
        _ files: Configuration.TLSFiles, _ clientAuthorities: [String], _ role: ListenerRole
    ) throws(Mismatch) -> Content {
        do {
            let filed = try certificates(files.certificate, setting: "tls-serve-cert")
            let chain = filed.map(\.certificate)
            let facts = try filed.map(CertificateFacts.init)
            if let leaf = facts.first, !leaf.outline.isUsable {
                throw ConfigurationError(
                    "tls-serve-cert \(leaf.place): the server's certificate has a key of the kind \(leaf.outline.key), "
                        + usable)
            }
            let key = try privateKey(files.key)
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
            configuration.minimumTLSVersion = .tlsv12
            configuration.applicationProtocols = role.protocols
            var authorities: [FiledCertificate] = []
            for file in clientAuthorities { authorities += try certificates(file, setting: role.authoritySetting) }
            if !authorities.isEmpty {
                configuration.trustRoots = .certificates(authorities.map(\.certificate))
                configuration.certificateVerification = role.verification
            }
            let context: NIOSSLContext
            do {
                context = try NIOSSLContext(configuration: configuration)
            } catch {
                if let message = mismatch(files, chain, key) { throw Mismatch.belongsToAnother(message) }
                throw ConfigurationError(
                    "tls-serve-cert '\(files.certificate)' and tls-serve-key '\(files.key)' belong together and cannot be "
                        + "used: make a new key and certificate (RSA of 2048 bits or more, P-256, P-384, P-521 or Ed25519)"
                )
            }
            return Content(
                context: context, role: role, chain: facts,
                authorities: try authorities.map(CertificateFacts.init))
        } catch let error as Mismatch {
            throw error
        } catch let error as ConfigurationError {
            throw .other(error)
        } catch {
            throw .other(
                ConfigurationError(
                    "tls-serve-cert '\(files.certificate)' cannot be used: a certificate in it is damaged; copy it again "
                        + "from where it came"))
        }
    }

    /// Why key and certificate do not belong together; nil if that is not what is wrong.
    private static func mismatch(
        _ files: Configuration.TLSFiles, _ chain: [NIOSSLCertificate], _ key: NIOSSLPrivateKey
    ) -> String? {
        func belongs(_ certificate: NIOSSLCertificate) -> Bool {
            let pair = TLSConfiguration.makeServerConfiguration(
                certificateChain: [.certificate(certificate)], privateKey: .privateKey(key))
            return (try? NIOSSLContext(configuration: pair)) != nil
        }
        guard let first = chain.first, !belongs(first) else { return nil }
        let what = "tls-serve-key '\(files.key)' is the key of another certificate than "
        if chain.dropFirst().contains(where: belongs) {
            return what + "the first of tls-serve-cert '\(files.certificate)', but of a later one: put the server's "
                + "certificate first"
        }
        return what + "tls-serve-cert '\(files.certificate)': give the two that were made together"
    }

    private static func certificates(_ source: String, setting: String) throws -> [FiledCertificate] {
        do throws(OutboundError) {
            return try FiledCertificate.read(source, upTo: longestCertificates)
        } catch {
            throw ConfigurationError("\(setting): \(error.message)", isAboutRights: error.isAboutRights)
        }
    }

    private static func privateKey(_ source: String) throws -> NIOSSLPrivateKey {
        let secret: SecretBytes
        do throws(SecretFileError) {
            // A path may be a link: that is how certbot keeps the present one.
            secret = try SecretFile.read(source, lengths: keyLengths, followsLinks: true)
        } catch {
            throw ConfigurationError("tls-serve-key \(error.message)", isAboutRights: error.isAboutRights)
        }
        let (problem, block, kind) = secret.withUnsafeBytes { bytes in
            let outline = PEMOutline(bytes)
            let problem = outline.problemOfKey(allowed: keyLabels)
            let block = outline.blocks.first { $0.label.endsExactly(with: "PRIVATE KEY") }
            return (problem, block, block.flatMap { Self.kind($0, in: bytes) })
        }
        if let problem { throw ConfigurationError("tls-serve-key '\(source)' \(problem)") }
        guard let block, let kind else {
            throw ConfigurationError(
                "tls-serve-key '\(source)' holds a damaged private key: what stands between its BEGIN and END lines is "
                    + "none in Base64; copy it again from where it came")
        }
        // A key that names no curve, or writes it out, may still be read.
        guard usableKinds.containsExactly(kind) || kind.startsExactly(with: "EC") else {
            throw ConfigurationError("tls-serve-key '\(source)' is of the kind \(kind), \(usable)")
        }
        var bytes = secret.withUnsafeBytes { Array($0[block.range]) }
        defer { bytes.withUnsafeMutableBytes { if let base = $0.baseAddress { explicit_bzero(base, $0.count) } } }
        do {
            return try NIOSSLPrivateKey(bytes: bytes, format: .pem)
        } catch {
            throw ConfigurationError(
                "tls-serve-key '\(source)' holds a private key (\(kind)) that is damaged, or in a form that TLS here does "
                    + "not read: `openssl pkey -in FILE -out NEW` writes the usual one")
        }
    }

    private static let keyLabels = ["PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY", "DSA PRIVATE KEY"]
    private static let usableKinds = ["RSA", "P-256", "P-384", "P-521", "Ed25519"]
    private static let usable =
        "which TLS here cannot use: make a key of RSA, P-256, P-384, P-521 or Ed25519, and a certificate for it"

    /// What kind of key a block holds; nil if it is none. The key is decoded in locked memory for it.
    private static func kind(_ block: PEMOutline.Block, in bytes: UnsafeRawBufferPointer) -> String? {
        let content = UnsafeRawBufferPointer(rebasing: bytes[block.content])
        let key = try? SecretBytes.make(capacity: max(1, content.count)) { output in
            Base64.decode(lines: content, into: output) ?? 0
        }
        guard let key else { return nil }
        return key.withUnsafeBytes { PrivateKeyOutline.kind($0, label: block.label) }
    }
}

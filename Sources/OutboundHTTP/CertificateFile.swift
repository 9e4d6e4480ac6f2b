import Encodings
public import NIOSSL
import SecretMemory

/// A certificate, and where it stands.
public struct FiledCertificate: Sendable, Hashable {
    public let certificate: NIOSSLCertificate
    /// For messages: the file, and the line if it has several.
    public let place: String

    /// Reads a PEM file of certificates, each of its blocks by itself, so that a file is used whole or refused with what is
    /// wrong with it. Blocks of other kinds beside certificates are passed over.
    ///
    /// - Parameters:
    ///   - source: An absolute path or `credential:NAME`.
    ///   - limit: In bytes.
    /// - Throws: `.configurationRefused` naming the file, what it is instead, and the remedy.
    /// - Concurrency: reads a file; call it at start or off the cooperative pool.
    public static func read(_ source: String, upTo limit: Int) throws(OutboundError) -> [FiledCertificate] {
        let bytes: [UInt8]
        do throws(SecretFileError) {
            bytes = try NamedFile.contents(of: source, upTo: limit)
        } catch {
            throw OutboundError(.configurationRefused, error.message, isAboutRights: error.isAboutRights)
        }
        let outline = bytes.withUnsafeBytes { PEMOutline($0) }
        if let problem = outline.problemOfCertificates() {
            throw OutboundError(.configurationRefused, "'\(source)' \(problem)")
        }
        let blocks = outline.blocks.filter(\.isCertificate)
        var found: [FiledCertificate] = []
        for block in blocks {
            let place = blocks.count == 1 ? "'\(source)'" : "'\(source)' line \(block.line)"
            guard let certificate = try? NIOSSLCertificate(bytes: Array(bytes[block.range]), format: .pem) else {
                throw OutboundError(
                    .configurationRefused,
                    "'\(source)' holds a damaged certificate in line \(block.line): what stands between its BEGIN and END "
                        + "lines is no certificate in Base64; copy it again from where it came")
            }
            found.append(FiledCertificate(certificate: certificate, place: place))
        }
        return found
    }
}

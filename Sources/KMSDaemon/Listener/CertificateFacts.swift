import Encodings
import HTTPAPI
import KMSConfiguration
import LibCrypto
import NIOSSL
import OutboundHTTP

/// What is told of a certificate.
struct CertificateFacts: Equatable {
    /// SHA-256 of the certificate, hexadecimal.
    var fingerprint: String
    var notBefore: Timestamp
    var notAfter: Timestamp

    /// Where it stands.
    var place: String
    var outline: CertificateOutline

    /// What a certificate is for, so what would make others refuse it.
    enum Role { case server, chain, authority }

    init(_ filed: FiledCertificate) throws {
        let der = try filed.certificate.toDERBytes()
        guard let outline = CertificateOutline(der: der) else {
            throw ConfigurationError("\(filed.place) holds a damaged certificate; copy it again from where it came")
        }
        self.outline = outline
        place = filed.place
        fingerprint = Hexadecimal.encode(try Digest.sha256(der))
        notBefore = Timestamp(seconds: Int64(filed.certificate.notValidBefore))
        notAfter = Timestamp(seconds: Int64(filed.certificate.notValidAfter))
    }

    /// What is wrong with it now, each a sentence that begins with `subject` and ends with where it is.
    func problems(at time: Timestamp, _ subject: String, _ role: Role) -> [String] {
        var found: [String] = []
        if let problem = problem(at: time) { found.append(problem) }
        if let bits = outline.bits, bits < 2048 {
            found.append("has an RSA key of \(bits) bits, which clients refuse below 2048; make a larger one")
        }
        if !outline.isUsable, role != .server {
            found.append("has a key of the kind \(outline.key), which vouches for nobody here; use another authority")
        }
        // What signs itself is not believed for its signature.
        if let digest = outline.weakDigest, role != .authority, !outline.isSelfIssued {
            found.append("is signed with \(digest), which clients refuse; have it issued again")
        }
        if role == .server, !outline.isForServers {
            found.append(
                "is not one for servers (extended key usage), so clients refuse it; have one issued for servers")
        }
        return found.map { "\(subject) \($0) (\(place))" }
    }

    /// Nil while it is valid.
    func problem(at time: Timestamp) -> String? {
        if time.seconds > notAfter.seconds { return "expired at \(notAfter.rfc3339(digits: 0)); renew it" }
        if time.seconds < notBefore.seconds {
            // Without the time that it is: what is told once must be the same text each time.
            return "is not valid before \(notBefore.rfc3339(digits: 0)); look at the clock or wait"
        }
        return nil
    }
}

extension OutboundSettings {
    /// What is wrong with an authority of other servers at `time`, each with its place.
    static func problems(_ trust: OutboundTrust, at time: Timestamp) throws -> [String] {
        try trust.authorities.flatMap { try CertificateFacts($0).problems(at: time, "tls-cacerts: one", .authority) }
    }
}

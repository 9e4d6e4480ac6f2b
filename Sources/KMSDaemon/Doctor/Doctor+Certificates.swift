import Encodings
import KMSConfiguration

/// The listener's certificates, and those that vouch for others.
extension Doctor {
    private static let remedy = "give one that others accept, or set the clock"

    mutating func checkCertificates(_ settings: Configuration) {
        if let tls = settings.tls {
            var problems: [String] = []
            attempt("tls", remedy: "give a certificate chain and its key in PEM, mode 0600") {
                let content = try TLSFiles.load(tls, clientAuthorities: settings.clientAuthorities)
                problems = content.problems(at: .now())
                let until = content.chain.first.map { ", valid until \($0.notAfter.rfc3339(digits: 0))" } ?? ""
                return "certificate and key belong together\(until)"
            }
            for problem in problems {
                checks.append(Check(name: "tls", grade: .warn, message: problem, remedy: Self.remedy))
            }
            lookAtDecryption(settings, tls, told: problems)
        }
        guard !settings.outbound.authorities.isEmpty else { return }
        var problems: [String] = []
        attempt("tls-cacerts", remedy: "give the authorities' certificates in PEM") {
            let trust = try settings.outbound.trust()
            problems = try OutboundSettings.problems(trust, at: .now())
            return "the authorities of other servers can be read"
        }
        for problem in problems {
            checks.append(Check(name: "tls-cacerts", grade: .warn, message: problem, remedy: Self.remedy))
        }
    }

    /// The gRPC front shows the same certificate, and has authorities of its own.
    private mutating func lookAtDecryption(_ settings: Configuration, _ tls: Configuration.TLSFiles, told: [String]) {
        guard let authorities = settings.decryption?.clientAuthorities, !authorities.isEmpty else { return }
        let name = ListenerRole.decryption.authoritySetting
        var problems: [String] = []
        attempt(name, remedy: "give the authorities' certificates in PEM") {
            problems = try TLSFiles.load(tls, clientAuthorities: authorities, role: .decryption).problems(at: .now())
            return "the authorities of the decryption API's clients can be read"
        }
        for problem in problems where !told.contains(where: { $0.utf8.elementsEqual(problem.utf8) }) {
            checks.append(Check(name: name, grade: .warn, message: problem, remedy: Self.remedy))
        }
    }
}

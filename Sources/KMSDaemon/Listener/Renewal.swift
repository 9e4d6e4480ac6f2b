import Dispatch
import Encodings
package import KMSConfiguration
package import Logging
package import OutboundHTTP

/// Takes renewed certificates into use: those of the listeners, of their clients' authorities, and of the authorities of
/// other servers. On SIGHUP at once, otherwise a moment after the files have come to rest.
///
/// - Concurrency: one queue of its own; any thread may ask.
package final class Renewal: Sendable {
    private let settings: Configuration
    private let certificates: ServedCertificates
    private let outbound: [OutboundClient]
    private let logger: Logger
    private let queue = DispatchQueue(label: "kmsd.renewal")
    private let watch: Watch

    /// Between two looks at the files.
    private static let interval = 10

    /// What the looks remember.
    ///
    /// - Concurrency: on the queue only.
    private final class Watch: @unchecked Sendable {
        // @unchecked: touched on the queue alone.
        var used: FileMarks
        var seen: FileMarks
        var refused: FileMarks?
        var trust: OutboundTrust
        var told: Set<ExactText> = []
        let timer: any DispatchSourceTimer

        init(_ marks: FileMarks, _ trust: OutboundTrust, _ timer: any DispatchSourceTimer) {
            self.trust = trust
            used = marks
            seen = marks
            self.timer = timer
        }
    }

    /// - Throws: ``ConfigurationError``
    package init(
        _ settings: Configuration, certificates: ServedCertificates, outbound: [OutboundClient], logger: Logger
    ) throws {
        self.settings = settings
        self.certificates = certificates
        self.outbound = outbound
        self.logger = logger
        watch = Watch(
            FileMarks(Self.files(settings)), try settings.outbound.trust(),
            DispatchSource.makeTimerSource(queue: queue))
    }

    /// Begins to look; what is not valid now is reported at once.
    package func start() {
        if let https = certificates.https {
            logger.info("serving HTTPS", metadata: ["certificate": "\(https.description)"])
        }
        queue.sync { tellProblems() }
        watch.timer.setEventHandler { [weak self] in self?.look() }
        watch.timer.schedule(
            deadline: .now() + .seconds(Self.interval), repeating: .seconds(Self.interval), leeway: .seconds(1))
        watch.timer.activate()
    }

    /// Reads the files now, changed or not.
    func renewNow() { queue.async { self.renew(isAsked: true) } }

    private static func files(_ settings: Configuration) -> [String] {
        let own = settings.tls.map { [$0.certificate, $0.key] } ?? []
        let decryption = settings.decryption?.clientAuthorities ?? []
        return own + settings.clientAuthorities + decryption + settings.outbound.authorities
    }

    private func look() {
        let now = FileMarks(Self.files(settings))
        // Certificate and key are two files: only what has been the same for one interval is whole.
        let isAtRest = now == watch.seen
        watch.seen = now
        if isAtRest, now != watch.used, now != watch.refused { renew(isAsked: false) }
        tellProblems()
    }

    private func renew(isAsked: Bool) {
        let marks = FileMarks(Self.files(settings))
        do {
            // All are read before any is used.
            let trust = try settings.outbound.trust()
            let read = try certificates.all.map { (listener: $0, content: try $0.read()) }
            // Of one certificate that two listeners show there is one line.
            var changes: [String] = []
            for change in read.flatMap({ $0.listener.use($0.content) })
            where !changes.contains(where: { $0.utf8.elementsEqual(change.utf8) }) { changes.append(change) }
            for client in outbound { client.trust(trust) }
            if !trust.isSame(as: watch.trust) {
                changes.append("the authorities of other servers are now \(trust.count) certificates")
            }
            watch.trust = trust
            watch.used = marks
            watch.refused = nil
            watch.told = []
            for change in changes { logger.notice("renewed: \(change)") }
            if isAsked, changes.isEmpty { logger.notice("read the certificates again: nothing changed") }
            tellProblems()
        } catch {
            watch.refused = marks
            logger.error(
                "renewed certificates are not used, the ones before stay: \(CommandFailure(error))")
        }
    }

    /// Each once.
    private func tellProblems() {
        let now = Timestamp.now()
        let others = (try? OutboundSettings.problems(watch.trust, at: now)) ?? []
        for problem in certificates.all.flatMap({ $0.problems(at: now) }) + others
        where watch.told.insert(ExactText(problem)).inserted {
            logger.warning("\(problem)")
        }
    }
}

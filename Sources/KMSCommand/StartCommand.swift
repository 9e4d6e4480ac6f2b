import ArgumentParser
import Glibc
import KMSConfiguration
import KMSDaemon
import Logging
import SecretMemory
import ServiceLifecycle
import Storage
import Synchronization

/// `kmsd start`.
struct StartCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "start",
        abstract: "Serve the keystore API in the foreground.",
        discussion: """
            Listens on loopback only, unless HTTPS, auth-type and admin-guard together guard every route. It starts \
            without its token, answers 503 on /readyz with the reason, and serves as soon as the token is there. \
            SIGTERM and Ctrl-C end it within shutdown-timeout: requests in flight are finished, sessions closed, exit code \
            0; a second one ends it at once. SIGHUP reads certificates again; other signals do nothing.

              kmsd start
              kmsd start --host 127.0.0.1:9000 --lock-ttl 0s
              kmsd start --tls-serve-cert /etc/kmsd/cert.pem \\
                --tls-serve-key /etc/kmsd/key.pem
            """)

    @OptionGroup var common: CommonOptions
    @OptionGroup(title: "Serving") var server: ServerOptions
    @OptionGroup(title: "Calls to other servers") var outbound: OutboundOptions
    @OptionGroup(title: "Authorization") var authorization: AuthorizationOptions
    @OptionGroup(title: "Split keys") var splitKeys: SplitOptions
    @OptionGroup(title: "Decryption API") var decryption: DecryptionOptions
    @OptionGroup(title: "Audit") var audit: AuditOptions
    @OptionGroup(title: "Locks") var locks: LockOptions
    @OptionGroup(title: "Settings of TrustBloc's server") var compatibility: CompatibilityOptions

    func work() async throws -> ExitStatus {
        ProcessLimits.prepare()
        try ProcessHardening.apply()
        DaemonSignals.ignoreOthers()
        let flags = server.flags.merging(compatibility.flags) { first, _ in first }
            .merging(authorization.flags) { first, _ in first }
            .merging(splitKeys.flags) { first, _ in first }
            .merging(decryption.flags) { first, _ in first }
            .merging(audit.flags) { first, _ in first }
            .merging(outbound.flags) { first, _ in first }
            .merging(locks.flags) { first, _ in first }
        let settings = try common.configuration(adding: flags)
        let budget = DescriptorBudget(settings)
        try budget.check()
        try ProcessLimits.proveThreads(ProcessLimits.threads(sessions: settings.tokenSessions ?? 8))
        SQLiteFile.mostReaders.store(budget.readers, ordering: .relaxed)
        ServiceLog.begin()
        var logger = Logger(label: "kmsd")
        logger.logLevel = settings.logLevel
        for notice in settings.notices { logger.notice("\(notice)") }
        if budget.isClamped {
            logger.warning(
                "max-connections is more than the limit of open files allows",
                metadata: ["limits": "\(budget.summary)", "remedy": "\(DescriptorBudget.remedy)"])
        } else {
            logger.info("open files", metadata: ["limits": "\(budget.summary)"])
        }
        try HomeDirectory.check(settings.home)
        let home = try HomeDirectory(taking: settings.home)
        let loss = AuditParts.loss(settings)
        let application = try Application.build(
            settings, observer: TokenLog(logger: logger), writesAudit: true)
        // Only a token that remembers the chain refuses to go on; whoever has none learns of it here or never.
        if let loss {
            logger.warning(
                "the record of decisions begins anew: what only it told, such as revocations of split keys, is gone",
                metadata: ["found": "\(loss)", "remedy": "stop, and restore it from a backup"])
        }
        application.tellSlots(to: logger)
        let certificates = try ServedCertificates(settings)
        logger.warning("\(Self.exposure(settings))")
        try await application.waitForCountedSignatures()
        let renewal = try Renewal(
            settings, certificates: certificates, outbound: [application.outbound, application.vaultCalls],
            logger: logger)
        renewal.start()
        let group = application.serviceGroup(
            logger: logger, certificates: certificates, didBecomeReady: { Terminal.print("kmsd ready") },
            didBind: { port in Self.greet(settings, port: port) })
        let signals = try DaemonSignals(logger: logger, timeout: settings.shutdownTimeout, renewal: renewal) {
            Task { await group.triggerGracefulShutdown() }
        }
        try await group.run()
        logger.info("ended")
        withExtendedLifetime((signals, renewal)) {}
        withExtendedLifetime(home) {}
        return .ok
    }

    /// Who may do what, in one sentence.
    private static func exposure(_ settings: Configuration) -> String {
        switch (settings.capabilities, settings.gnap, settings.administration) {
        case (.off, nil, nil):
            "requests are not authorised: every process of this machine that reaches the port may use every key"
        case (.off, nil, _): "whoever reaches the port may use every key; making and managing them is guarded"
        case (.off, _, _): "keystores are guarded by GNAP tokens"
        case (_, _, nil): "keystores are guarded by capabilities; whoever reaches the port may make a keystore"
        default: "keystores are guarded by capabilities; making and managing them is guarded"
        }
    }

    /// The base URL and a session to paste.
    private static func greet(_ settings: Configuration, port: Int) {
        var address = settings.listen
        address.port = port
        let base = (settings.tls == nil ? "http://" : "https://") + "\(address)"
        let prefix = settings.baseURL.isEmpty ? base : ""
        Terminal.print(
            """
            Base URL: \(base)

              ks=$(curl -s -d '{"controller":"did:example:me"}' \(base)/v1/keystores | jq -r .key_store_url)
              key=$(curl -s -d '{"key_type":"ED25519"}' "\(prefix)$ks/keys" | jq -r .key_url)
              curl -s -d '{"message":"aGVsbG8="}' "\(prefix)$key/sign"

            """)
    }
}

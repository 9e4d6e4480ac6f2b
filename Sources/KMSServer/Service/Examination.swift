import CoreFoundation
import Glibc
import HSMBridge
import Keystores
import SecretMemory
import TPMBridge

/// What `kmsd doctor` finds.
struct Examination: Encodable {
    enum Grade: String, Encodable {
        case ok, warn, fail
    }

    struct Check: Encodable {
        var name: String
        var grade: Grade
        var message: String
        /// What to do; nil when there is nothing to do.
        var remedy: String?
    }

    private(set) var checks: [Check] = []

    var isContent: Bool { checks.allSatisfy { $0.grade == .ok } }

    /// Goes on after a failure wherever the next check does not depend on it.
    static func run(_ configuration: () throws -> Configuration) async -> Examination {
        var examination = Examination()
        let settings: Configuration
        do {
            settings = try configuration()
        } catch {
            examination.add("configuration", error, remedy: "correct the setting")
            return examination
        }
        examination.look(at: settings)
        examination.lookAtMemory(settings)
        let home = examination.attempt("home", remedy: "make it with `kmsd init`, mode 0700") {
            try HomeDirectory.check(settings.home)
            return "'\(settings.home)' is private"
        }
        if let tls = settings.tls {
            examination.attempt("tls", remedy: "give a certificate chain and its key in PEM") {
                _ = try TLSFiles.load(tls)
                return "certificate and key belong together"
            }
        }
        await examination.lookAtToken(settings)
        if home { await examination.lookAtStore(settings) }
        examination.lookAtClock(settings)
        return examination
    }

    // MARK: Checks

    private mutating func look(at settings: Configuration) {
        let origin = settings.file.map { "read '\($0)'" } ?? "no file; flags, environment and defaults"
        checks.append(Check(name: "configuration", grade: .ok, message: origin, remedy: nil))
        for notice in settings.notices {
            checks.append(Check(name: "configuration", grade: .warn, message: notice, remedy: "remove the setting"))
        }
    }

    private mutating func lookAtMemory(_ settings: Configuration) {
        // A slot for each opened key and its prepared context, and one for each keystore's lock key.
        let needed = settings.keystores.keyCacheSize * 256 + settings.keystores.lockKeyCacheSize * 64
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(__RLIMIT_MEMLOCK.rawValue), &limit)
        attempt("locked memory", remedy: "raise LimitMEMLOCK= of the unit, or `ulimit -l`") {
            _ = try SecretBytes.make(count: 1 << 20) { _ in }
            return "available"
        }
        if geteuid() != 0, limit.rlim_cur < UInt(needed) {
            checks.append(
                Check(
                    name: "locked memory", grade: .warn,
                    message: "the limit is \(limit.rlim_cur >> 10) KiB; a full key cache takes \(needed >> 10) KiB",
                    remedy: "raise LimitMEMLOCK= of the unit, or lower key-cache-size"))
        }
    }

    private mutating func lookAtToken(_ settings: Configuration) async {
        let backend: BackendConfiguration
        let manifest: TokenManifest?
        do {
            backend = try BackendConfiguration(settings, manifest: nil)
            manifest = try ManifestFile(home: settings.home).read()
        } catch {
            if settings.secretLock == .token { add("token", error, remedy: "correct token-uri or the manifest") }
            return
        }
        let pinIsFine = attempt(
            "pin", remedy: "a file of 4 to 255 bytes, mode 0600, in a directory only its owner writes"
        ) {
            _ = try backend.pinSource.load()
            return "'\(backend.pinSource)' is readable by this user only"
        }
        if case .pkcs11(let configuration) = backend {
            attempt("module", remedy: "give the absolute path of the vendor's PKCS#11 library in module-path") {
                let tokens = FilePresence.exists(configuration.uri.modulePath ?? "")
                guard tokens else { throw ConfigurationError("'\(configuration.uri.modulePath ?? "")' is not there") }
                return "'\(configuration.uri.modulePath ?? "")' is there"
            }
        }
        guard let manifest else {
            checks.append(
                Check(
                    name: "manifest", grade: .fail, message: "'\(settings.manifestPath)' is not there",
                    remedy: "run `kmsd init` once"))
            return
        }
        if !manifest.missingRoles.isEmpty {
            let names = manifest.missingRoles.map { "'\($0.rawValue)'" }.joined(separator: ", ")
            checks.append(
                Check(
                    name: "manifest", grade: .warn, message: "the token was provisioned without the key \(names)",
                    remedy: "stop the daemon and run `kmsd init`, which adds it"))
        }
        // A wrong PIN must not be tried twice, so nothing is tried without a readable one.
        guard pinIsFine else { return }
        guard case .pkcs11(let configuration) = backend else { return await lookAtTPM(settings) }
        do {
            var pinned = configuration
            pinned.manifest = manifest
            let report = try await TokenWork.with(pinned) { try await $0.lint() }
            checks.append(
                Check(
                    name: "token", grade: .ok,
                    message: "'\(report.token.label)' \(report.token.serial) is the provisioned one; its keys open "
                        + "what they sealed", remedy: nil))
            look(at: report)
        } catch {
            add("token", error, remedy: "see that the token of the manifest is there and its PIN is right")
        }
    }

    private mutating func lookAtTPM(_ settings: Configuration) async {
        do {
            let policy = try await TokenWork.withTPM(settings) { try await $0.pcrPolicy() }
            checks.append(
                Check(
                    name: "token", grade: .ok,
                    message: "the TPM is the provisioned one; its keys open what they sealed", remedy: nil))
            guard let policy else { return }
            checks.append(
                Check(
                    name: "pcr", grade: .ok,
                    message: "the keys are bound to \(policy.current.selection); the state is one of "
                        + "\(policy.approved.count) approved", remedy: nil))
        } catch let error as HSMError where error.code == .pcrMismatch {
            add(
                "pcr", error,
                remedy: "boot the approved state, approve the new one there: `kmsd tpm reseal --pcr-values FILE`")
        } catch {
            add("token", error, remedy: "see that the TPM of the manifest is there and its PIN is right")
        }
    }

    private mutating func look(at report: LintReport) {
        let found =
            report.objects.flatMap { object in
                object.findings.map { ("'\(object.label)' \($0.attribute): \($0.message)", $0.grade) }
            }
            + report.findings.map { ("\($0.attribute): \($0.message)", $0.grade) }
        for (message, grade) in found {
            checks.append(
                Check(
                    name: "objects", grade: grade == .bad ? .fail : .warn, message: message,
                    remedy: "see `kmsd token lint`"))
        }
        if found.isEmpty {
            checks.append(
                Check(
                    name: "objects", grade: .ok, message: "\(report.objects.count) objects, none too open", remedy: nil)
            )
        }
    }

    private mutating func lookAtStore(_ settings: Configuration) async {
        guard FilePresence.exists(settings.databasePath) else {
            checks.append(
                Check(name: "database", grade: .ok, message: "not made yet; the first start makes it", remedy: nil))
            return
        }
        do {
            let store = try SQLiteKeystoreStore(path: settings.databasePath)
            let problems = try await store.check()
            try store.close()
            for problem in problems {
                checks.append(
                    Check(
                        name: "database", grade: .fail, message: problem,
                        remedy: "stop the daemon and restore the last backup"))
            }
            if problems.isEmpty {
                checks.append(Check(name: "database", grade: .ok, message: "quick_check finds nothing", remedy: nil))
            }
        } catch {
            add("database", error, remedy: "see that the file and its directory belong to this user")
        }
    }

    private mutating func lookAtClock(_ settings: Configuration) {
        var info = stat()
        let now = Timestamp.now()
        let isBehind = stat(settings.manifestPath, &info) == 0 && info.st_mtim.tv_sec > now.seconds + 60
        checks.append(
            isBehind
                ? Check(
                    name: "clock", grade: .fail,
                    message: "the clock is behind the manifest's time: \(now.rfc3339(digits: 0))",
                    remedy: "set the clock; destruction times depend on it")
                : Check(name: "clock", grade: .ok, message: now.rfc3339(digits: 0), remedy: nil))
    }

    // MARK: Recording

    @discardableResult
    private mutating func attempt(_ name: String, remedy: String, _ body: () throws -> String) -> Bool {
        do {
            checks.append(Check(name: name, grade: .ok, message: try body(), remedy: nil))
            return true
        } catch {
            add(name, error, remedy: remedy)
            return false
        }
    }

    private mutating func add(_ name: String, _ error: any Error, remedy: String) {
        checks.append(Check(name: name, grade: .fail, message: "\(CommandFailure(error))", remedy: remedy))
    }
}

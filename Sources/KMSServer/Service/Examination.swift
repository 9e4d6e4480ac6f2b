import Audit
import CoreFoundation
import Glibc
import Keystores
import SecretMemory
import Storage

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

    var checks: [Check] = []

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
        if home { await examination.lookAtStores(settings) }
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

    private mutating func lookAtStores(_ settings: Configuration) async {
        let files = [
            ("database", settings.databasePath), ("audit", AuditParts.path(home: settings.home)),
            ("split keys", Application.vaultPath(home: settings.home)),
            ("split shares", Application.sharesPath(home: settings.home)),
        ]
        if !FilePresence.exists(settings.databasePath) {
            checks.append(
                Check(name: "database", grade: .ok, message: "not made yet; the first start makes it", remedy: nil))
        }
        for (name, path) in files where FilePresence.exists(path) {
            do {
                let problems = try await SQLiteFile.check(path: path)
                for problem in problems {
                    checks.append(
                        Check(
                            name: name, grade: .fail, message: problem,
                            remedy: "stop the daemon and restore the last backup"))
                }
                if problems.isEmpty {
                    checks.append(Check(name: name, grade: .ok, message: "quick_check finds nothing", remedy: nil))
                }
            } catch {
                add(name, error, remedy: "see that '\(path)' and its directory belong to this user")
            }
        }
        lookAtEpoch(settings)
    }

    /// Reads only, so it may be done beside the daemon: the chain before the database, for both go on.
    private mutating func lookAtEpoch(_ settings: Configuration) {
        guard let told = Self.toldEpoch(settings), FilePresence.exists(settings.databasePath) else { return }
        do {
            let epoch = try SQLiteKeystoreStore.epoch(ofFile: settings.databasePath)
            guard epoch < told else { return }
            checks.append(
                Check(
                    name: "database", grade: .fail,
                    message: "it is an older copy: its epoch is \(epoch), and the audit chain tells \(told)",
                    remedy: "put the newer file back, or see `kmsd audit adopt-database --help`"))
        } catch {
            add("database", error, remedy: "see that the file and its directory belong to this user")
        }
    }

    /// The epoch of the database that the audit chain tells last; nil if there is no chain, or none that can be read.
    private static func toldEpoch(_ settings: Configuration) -> UInt64? {
        guard let reader = try? AuditReader(path: AuditParts.path(home: settings.home)),
            let last = try? reader.lastIndex(), let line = try? reader.records(from: last, limit: 1).first,
            case .record(let record, _) = line
        else { return nil }
        return record.storeEpoch
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
    mutating func attempt(_ name: String, remedy: String, _ body: () throws -> String) -> Bool {
        do {
            checks.append(Check(name: name, grade: .ok, message: try body(), remedy: nil))
            return true
        } catch {
            add(name, error, remedy: remedy)
            return false
        }
    }

    mutating func add(_ name: String, _ error: any Error, remedy: String) {
        checks.append(Check(name: name, grade: .fail, message: "\(CommandFailure(error))", remedy: remedy))
    }
}

import Audit
import CDispatch
import CoreFoundation
import Encodings
import Glibc
package import KMSConfiguration
import Keystores
import SecretMemory
import Storage

/// What `kmsd doctor` finds.
package struct Doctor: Encodable {
    package enum Grade: String, Encodable {
        case ok, warn, fail
    }

    package struct Check: Encodable {
        package var name: String
        package var grade: Grade
        package var message: String
        /// What to do; nil when there is nothing to do.
        package var remedy: String?
    }

    private enum CodingKeys: String, CodingKey { case checks }

    /// What was found so far; each is told when it is found.
    var checks: [Check] = [] {
        didSet { for check in checks.dropFirst(oldValue.count) { didFind(check) } }
    }
    private var didFind: (Check) -> Void = { _ in }
    /// Called before what may take some time.
    var progress: (String) -> Void = { _ in }

    /// How long a token may take to answer before it counts as away.
    static let patience = Duration.seconds(4)

    package var isContent: Bool { checks.allSatisfy { $0.grade == .ok } }

    /// Goes on after a failure wherever the next check does not depend on it.
    ///
    /// - Parameters:
    ///   - didFind: Gets each finding as it is made.
    ///   - progress: Is told what is looked at next, before what may take seconds.
    package static func run(
        _ configuration: () throws -> Configuration, didFind: @escaping (Check) -> Void = { _ in },
        progress: @escaping (String) -> Void = { _ in }
    ) async -> Doctor {
        var doctor = Doctor()
        doctor.didFind = didFind
        doctor.progress = progress
        let settings: Configuration
        do {
            settings = try configuration()
        } catch {
            doctor.add("configuration", error, remedy: "correct the setting")
            return doctor
        }
        doctor.look(at: settings)
        doctor.checkMemory(settings)
        doctor.checkDescriptors(settings)
        let home = doctor.attempt("home", remedy: "make it with `kmsd init`, mode 0700") {
            try HomeDirectory.check(settings.home)
            return "'\(settings.home)' is private"
        }
        doctor.checkCertificates(settings)
        await doctor.checkToken(settings)
        if home { await doctor.checkStores(settings) }
        if home { await doctor.checkSlots(settings) }
        doctor.checkClock(settings)
        return doctor
    }

    // MARK: Checks

    private mutating func look(at settings: Configuration) {
        let origin = settings.file.map { "read '\($0)'" } ?? "no file; flags, environment and defaults"
        checks.append(Check(name: "configuration", grade: .ok, message: origin, remedy: nil))
        for notice in settings.notices {
            checks.append(Check(name: "configuration", grade: .warn, message: notice, remedy: "remove the setting"))
        }
    }

    private mutating func checkMemory(_ settings: Configuration) {
        // A slot for each opened key and its prepared context, and one for each keystore's lock key.
        let needed = settings.keystores.keyCacheSize * 256 + settings.keystores.lockKeyCacheSize * 64
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(__RLIMIT_MEMLOCK.rawValue), &limit)
        attempt("locked memory", remedy: "raise LimitMEMLOCK= of the unit, or `ulimit -l`") {
            // What start takes first, in the same order.
            try settings.keystores.prepareLockedMemory()
            return "available"
        }
        if !ProcessHardening.mayLockEverything, limit.rlim_cur < UInt(needed) {
            checks.append(
                Check(
                    name: "locked memory", grade: .warn,
                    message: "the limit is \(limit.rlim_cur >> 10) KiB; a full key cache takes \(needed >> 10) KiB",
                    remedy: "raise LimitMEMLOCK= of the unit, or lower key-cache-size"))
        }
    }

    private mutating func checkStores(_ settings: Configuration) async {
        let files = [
            ("database", settings.databasePath), ("audit", AuditParts.path(home: settings.home)),
            ("split keys", Application.vaultPath(home: settings.home)),
            ("split shares", Application.sharesPath(home: settings.home)),
            ("decryption keys", Application.decryptionPath(home: settings.home)),
        ]
        if !FilePresence.exists(settings.databasePath), AuditParts.told(home: settings.home) == nil {
            checks.append(
                Check(name: "database", grade: .ok, message: "not made yet; the first start makes it", remedy: nil))
        }
        for (name, path) in files where FilePresence.exists(path) {
            do {
                progress("reading '\(path)'")
                // As the start does it, so that what ends that is found here.
                try DatabaseFiles.prepare(path: path)
                let problems = try await SQLiteFile.check(path: path)
                // Of the others, who compares their epochs below says what they are not.
                if name == "audit" { _ = try AuditReader(path: path, isDatabase: true) }
                for problem in problems {
                    checks.append(
                        Check(
                            name: name, grade: .fail, message: problem,
                            remedy: "stop the daemon and restore the last backup"))
                }
                if problems.isEmpty {
                    checks.append(Check(name: name, grade: .ok, message: "integrity_check finds nothing", remedy: nil))
                }
            } catch {
                add(name, error, remedy: Self.remedy(error, path))
            }
        }
        lookAtEpoch(settings)
        lookAtChains(settings)
    }

    /// Reads only, so it may be done beside the daemon: the chain before the database, for both go on.
    private mutating func lookAtEpoch(_ settings: Configuration) {
        guard let head = AuditParts.told(home: settings.home) else { return lookForChain(settings) }
        for database in SealedDatabase.allCases {
            let (path, told) = (database.path(settings), head.told(database.rawValue))
            let check =
                switch database {
                case .keystores: "database"
                case .vault: "split keys"
                case .shares: "split shares"
                case .decryption: "decryption keys"
                }
            guard FilePresence.exists(path) else {
                // The start that began the chain made this one.
                if database == .keystores || head.sealed[database.rawValue] != nil {
                    checks.append(
                        Check(
                            name: check, grade: .fail,
                            message: "'\(path)' is missing, and the audit chain tells of it, with epoch \(told)",
                            remedy: "put the file back, or see `kmsd audit adopt-database --help`"))
                }
                continue
            }
            do {
                let claim = try database.claim(ofFile: path)
                let name = database.rawValue
                guard let problem = claim.problem(of: name, at: path, told: head.sealed[name], least: told) else {
                    continue
                }
                checks.append(
                    Check(
                        name: check, grade: .fail,
                        message: claim.epoch < told
                            ? "it is an older copy: its epoch is \(claim.epoch), and the audit chain tells \(told)"
                            : problem.message,
                        remedy: "put the newer file back, or see `kmsd audit adopt-database --help`"))
            } catch {
                add(check, error, remedy: Self.remedy(error, path))
            }
        }
    }

    private mutating func lookForChain(_ settings: Configuration) {
        guard let loss = AuditParts.loss(settings) else { return }
        checks.append(
            Check(
                name: "audit", grade: .fail, message: loss,
                remedy: "put the file back with its -wal, or see `kmsd audit adopt --help`"))
    }

    private static func remedy(_ error: any Error, _ path: String) -> String {
        let storage = error as? StorageError ?? (error as? AuditError)?.underlying as? StorageError
        return storage?.kind == .closed
            ? "see that '\(path)' and its directory belong to this user, closed to others, and that the disk takes writes"
            : "mend what it says, or stop the daemon and restore the last backup"
    }

    private mutating func checkClock(_ settings: Configuration) {
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

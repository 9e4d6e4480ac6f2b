import Encodings
import Glibc

/// The records that the daemon makes of itself: with which a process begins to write, and of an adoption.
package enum AuditStart {
    /// Detail: the audit key's fingerprint.
    static let key = "audit-key"

    /// The record that an operator goes on with this chain whatever the token remembers.
    // exact: the names are this program's own, in ASCII.
    static func adoption(by actor: String, _ details: [String: String] = [:]) -> AuditEvent {
        AuditEvent(
            front: "admin", actor: actor, operation: adopt, subject: "", outcome: .allowed, reason: "ok",
            requestID: "", details: details)
    }

    static let adopt = "adopt"
    static let adoptDatabase = "adopt-database"

    /// Only the daemon's own verbs write to this front.
    static func isAdoption(_ record: AuditRecord, of operation: String = adopt) -> Bool {
        record.kind == .event && record.event.front == "admin" && record.event.operation == operation
            && record.event.outcome == .allowed
    }

    static let rotate = "rotate"
    /// Details of a rotation's record beside ``key``: the number of revocations up to it, the hash over them, and the first
    /// record of the part that it closes; its subject is the archive's name.
    static let revocationCount = "revocation-count"
    static let revocationHash = "revocation-hash"
    static let firstRecord = "first-record"

    /// The record that ends a part of the chain, and with which the next one begins.
    static func rotation(by actor: String, after head: AuditHead, pinned: String, first: UInt64) -> AuditEvent {
        AuditEvent(
            front: "admin", actor: actor, operation: rotate, subject: AuditPart.name(first: first), outcome: .allowed,
            reason: "ok", requestID: "",
            details: [
                key: pinned, revocationCount: "\(head.epoch)", revocationHash: Hexadecimal.encode(head.revocations),
                firstRecord: "\(first)",
            ])
    }

    /// The record that only states epochs, after a change whose own record was made before it.
    // exact: the names are this program's own, in ASCII.
    static func states(_ sealed: [String: UInt64]) -> AuditEvent {
        AuditEvent(
            front: "admin", actor: "-", operation: "tell-epochs", subject: "", outcome: .allowed, reason: "ok",
            requestID: "", details: sealed.mapValues { "\($0)" })
    }

    /// The record that a database is not used.
    static func refusal(of name: String, _ problem: AuditError) -> AuditEvent {
        AuditEvent(
            front: "admin", actor: "-", operation: "check-database", subject: name, outcome: .refused,
            reason: problem.code.rawValue, requestID: "")
    }

    /// The record that rows of a database are not used, because they are not as they were written.
    // exact: names of tables are our own words.
    package static func damage(in name: String, _ rows: [String: Int]) -> AuditEvent {
        AuditEvent(
            front: "admin", actor: "-", operation: "check-rows", subject: name, outcome: .refused,
            reason: "damaged-rows", requestID: "", details: rows.mapValues { "\($0)" })
    }

    /// The record that a database which had no seal has one from now on.
    package static func sealing(of name: String, epoch: UInt64) -> AuditEvent {
        AuditEvent(
            front: "admin", actor: "-", operation: "seal-database", subject: name, outcome: .allowed, reason: "ok",
            requestID: "", details: ["database-epoch": "\(epoch)"])
    }

    /// - Parameter problem: Why nothing will be allowed to this process.
    static func event(_ configuration: AuditConfiguration, _ problem: AuditError?) -> AuditEvent {
        var details = [
            key: configuration.keyFingerprint, "instance": configuration.instance,
            "machine-boot": AuditClock.machineBoot(), "pid": "\(getpid())",
        ]
        if configuration.isWithoutToken { details["without-token"] = "true" }
        return AuditEvent(
            front: "admin", actor: "uid:\(getuid())", operation: "start", subject: "",
            outcome: problem == nil ? .allowed : .refused, reason: problem?.code.rawValue ?? "ok", requestID: "",
            details: details)
    }

    /// The record that goes on from `head`; the first of a chain without one.
    static func record(_ configuration: AuditConfiguration, after head: AuditHead?, boot: [UInt8]) -> AuditRecord {
        let head =
            head
            ?? AuditHead(
                position: AuditPosition(index: 0, hash: AuditRecord.origin), epoch: 0, revocations: AuditRecord.origin)
        let problem = configuration.store?.problem(told: head)
        // What a file says of itself counts when its seal was found to hold; one without a seal has nothing better.
        let found = configuration.store.map { problem == nil && !$0.isUnproven() ? $0.epoch() : 0 } ?? 0
        return AuditRecord(
            index: head.position.index + 1, time: AuditClock.now(), boot: boot, token: configuration.token,
            previous: head.position.hash, kind: .start, epoch: head.epoch, revocations: [],
            storeEpoch: max(head.storeEpoch, found), sealed: head.sealed, event: event(configuration, problem))
    }
}

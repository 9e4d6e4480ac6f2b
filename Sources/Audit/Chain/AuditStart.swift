import Glibc

/// The records that the daemon makes of itself: with which a process begins to write, and of an adoption.
enum AuditStart {
    /// Detail: the audit key's fingerprint.
    static let key = "audit-key"

    /// The record that an operator goes on with this chain whatever the token remembers.
    static func adoption(by actor: String) -> AuditEvent {
        AuditEvent(
            front: "admin", actor: actor, operation: "adopt", subject: "", outcome: .allowed, reason: "ok",
            requestID: "")
    }

    static func isAdoption(_ record: AuditRecord) -> Bool {
        record.kind == .event && record.event == adoption(by: record.event.actor)
    }

    /// - Parameter problem: Why nothing will be allowed to this process.
    static func event(_ configuration: AuditConfiguration, _ problem: AuditError?) -> AuditEvent {
        AuditEvent(
            front: "admin", actor: "uid:\(getuid())", operation: "start", subject: "",
            outcome: problem == nil ? .allowed : .refused, reason: problem?.code.rawValue ?? "ok", requestID: "",
            details: [
                key: configuration.keyFingerprint, "instance": configuration.instance,
                "machine-boot": AuditClock.machineBoot(), "pid": "\(getpid())",
            ])
    }

    /// The record that goes on from `head`; the first of a chain without one.
    static func record(_ configuration: AuditConfiguration, after head: AuditHead?, boot: [UInt8]) -> AuditRecord {
        let told = head?.storeEpoch ?? 0
        return AuditRecord(
            index: (head?.position.index ?? 0) + 1, time: AuditClock.now(), boot: boot, token: configuration.token,
            previous: head?.position.hash ?? AuditRecord.origin, kind: .start, epoch: head?.epoch ?? 0, revocations: [],
            storeEpoch: max(told, configuration.store?.epoch() ?? 0),
            event: event(configuration, configuration.store?.problem(told: told)))
    }
}

import Glibc

/// The record with which a process begins to write.
enum AuditStart {
    /// Detail: the audit key's fingerprint.
    static let key = "audit-key"

    static func event(_ configuration: AuditConfiguration) -> AuditEvent {
        AuditEvent(
            front: "admin", actor: "uid:\(getuid())", operation: "start", subject: "", outcome: .allowed, reason: "ok",
            requestID: "",
            details: [
                key: configuration.keyFingerprint, "instance": configuration.instance,
                "machine-boot": AuditClock.machineBoot(), "pid": "\(getpid())",
            ])
    }

    /// The first record of a chain.
    static func origin(_ configuration: AuditConfiguration, boot: [UInt8]) -> AuditRecord {
        AuditRecord(
            index: 1, time: AuditClock.now(), boot: boot, token: configuration.token, previous: AuditRecord.origin,
            kind: .start, epoch: 0, revocations: [], event: event(configuration))
    }
}

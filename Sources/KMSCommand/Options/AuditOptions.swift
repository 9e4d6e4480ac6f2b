import ArgumentParser

/// What is recorded, and how.
struct AuditOptions: ParsableArguments {
    @Option(name: .customLong("audit-uses"), help: .setting("audit-uses")) var uses: String?
    @Option(name: .customLong("audit-rotate-size"), help: .setting("audit-rotate-size")) var rotateSize: String?

    /// By setting name.
    // exact: names of settings and members, this program's own.
    var flags: [String: String] { ["audit-uses": uses, "audit-rotate-size": rotateSize].compactMapValues { $0 } }
}

import ArgumentParser

/// What is recorded, and how.
struct AuditOptions: ParsableArguments {
    @Option(name: .customLong("audit-uses"), help: .setting("audit-uses")) var uses: String?

    /// By setting name.
    var flags: [String: String] { ["audit-uses": uses].compactMapValues { $0 } }
}

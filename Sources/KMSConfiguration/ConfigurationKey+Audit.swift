extension ConfigurationKey {
    /// What is recorded, and how.
    static let audit: [ConfigurationKey] = [
        ConfigurationKey(
            name: "audit-uses", environment: "KMS_AUDIT_USES", kind: .choice(AuditedUse.allCases.map(\.rawValue)),
            standard: "queued",
            summary: "Records of key uses: durable (on the disk before the answer), queued (some milliseconds after "
                + "it) or off; all other decisions are durable."),
        ConfigurationKey(
            name: "audit-rotate-size", environment: "KMS_AUDIT_ROTATE_SIZE", kind: .byteCount(0...(1 << 42)),
            standard: "0",
            summary: "When audit.db has grown to this (1MiB or more), the daemon closes what is in it into a file in "
                + "audit-archive, as kmsd audit rotate does; 0 for never."),
    ]
}

extension ConfigurationKey {
    /// What is recorded, and how.
    static let audit: [ConfigurationKey] = [
        ConfigurationKey(
            name: "audit-uses", environment: "KMS_AUDIT_USES", kind: .choice(AuditedUse.allCases.map(\.rawValue)),
            standard: "queued",
            summary: "Records of key uses: durable (on the disk before the answer), queued (some milliseconds after "
                + "it) or off; all other decisions are durable.")
    ]
}

extension ConfigurationKey {
    /// Calls to and from other servers and pages. `tls-cacerts` and `tls-systemcertpool` are among TrustBloc's settings.
    static let outbound: [ConfigurationKey] = [
        ConfigurationKey(
            name: "outbound-allow", environment: "KMS_OUTBOUND_ALLOW", kind: .text, standard: "",
            summary: "Hosts, HOST:PORT and ranges, separated by commas, that may be called besides public HTTPS."),
        ConfigurationKey(
            name: "cors-origins", environment: "KMS_CORS_ORIGINS", kind: .text, standard: "",
            summary: "Origins whose web pages may call the split-key API, separated by commas."),
        ConfigurationKey(
            name: "upstream-status-codes", environment: "KMS_UPSTREAM_STATUS_CODES", kind: .boolean,
            standard: "false", summary: "Answers failures with TrustBloc's statuses, mostly 500."),
        ConfigurationKey(
            name: "edv-timeout", environment: "KMS_EDV_TIMEOUT", kind: .duration, standard: "30s",
            summary: "Longest time for one operation on a keystore's vault, with all its calls."),
        ConfigurationKey(
            name: "key-manager-storage-url", environment: "KMS_KEY_MANAGER_STORAGE_URL", kind: .text, standard: "",
            summary: "With legacy-g1-routes: URL of the server whose vaults a request names by 'vaultID'."),
    ]
}

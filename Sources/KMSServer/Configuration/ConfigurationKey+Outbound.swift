extension ConfigurationKey {
    /// Calls to other servers. `tls-cacerts` and `tls-systemcertpool` are among the original server's settings.
    static let outbound: [ConfigurationKey] = [
        ConfigurationKey(
            name: "outbound-allow", environment: "KMS_OUTBOUND_ALLOW", kind: .text, standard: "",
            summary: "Hosts, HOST:PORT and ranges, separated by commas, that may be called besides public HTTPS."),
        ConfigurationKey(
            name: "edv-timeout", environment: "KMS_EDV_TIMEOUT", kind: .duration, standard: "30s",
            summary: "Longest time for one operation on a keystore's vault, with all its calls."),
    ]
}

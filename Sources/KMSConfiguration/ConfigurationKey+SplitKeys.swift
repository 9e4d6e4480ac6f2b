extension ConfigurationKey {
    /// The split-key front; it is served where bearer tokens are configured.
    static let splitKeys: [ConfigurationKey] = [
        ConfigurationKey(
            name: "role", environment: "KMS_ROLE", kind: .choice(["all", "vault", "auth"]), standard: "all",
            summary: "Which roles of the split-key front run here: the vault, the co-signing role, or both."),
        ConfigurationKey(
            name: "split-auth-url", environment: "KMS_SPLIT_AUTH_URL", kind: .text,
            summary: "The co-signing role's URL, for 'role: vault'."),
        ConfigurationKey(
            name: "split-profile", environment: "KMS_SPLIT_PROFILE", kind: .choice(["compat", "strict"]),
            standard: "compat",
            summary:
                "compat is strict for keys born here and keeps 0Chain's tolerances for others; strict is for "
                + "all."),
        ConfigurationKey(
            name: "split-rate", environment: "KMS_SPLIT_RATE", kind: .number(0...1_000_000), standard: "0",
            summary: "Signatures per second and split key; 0 for no bound."),
        ConfigurationKey(
            name: "split-wrong-rate", environment: "KMS_SPLIT_WRONG_RATE", kind: .number(0...1_000_000),
            standard: "10",
            summary:
                "Wrong signatures per second that are looked at, of one address and for one split key; 0 for no bound."
        ),
        ConfigurationKey(
            name: "split-txn-reply", environment: "KMS_SPLIT_TXN_REPLY", kind: .choice(["signature", "transaction"]),
            standard: "signature",
            summary: "What sign/txn answers: the signature, or the whole transaction as clients up to 1.17 expect."),
        ConfigurationKey(
            name: "split-anchors", environment: "KMS_SPLIT_ANCHORS", kind: .choice(["auto", "anchored", "sealed"]),
            standard: "auto", summary: "Where new wallets' infrastructure scalars live; auto asks the token."),
        ConfigurationKey(
            name: "split-anchor-storage", environment: "KMS_SPLIT_ANCHOR_STORAGE",
            kind: .choice(["wrapped", "object"]), standard: "wrapped",
            summary: "How the token keeps an anchor: wrapped under its key, or as an object of its own."),
        ConfigurationKey(
            name: "split-anchor-recovery", environment: "KMS_SPLIT_ANCHOR_RECOVERY",
            kind: .choice(["auto", "pairing", "second-product"]), standard: "auto",
            summary: "How the sign of the token's answer is found; auto measures."),
    ]
}

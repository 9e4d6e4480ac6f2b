extension ConfigurationKey {
    /// The decryption API; it is off unless `decryption-host` is set.
    static let decryption: [ConfigurationKey] = [
        ConfigurationKey(
            name: "decryption-host", environment: "KMS_DECRYPTION_HOST", kind: .text, standard: "",
            summary: "HOST:PORT of the decryption API (gRPC); empty serves none. Beyond loopback only with mutual TLS."),
        ConfigurationKey(
            name: "decryption-generation", environment: "KMS_DECRYPTION_GENERATION", kind: .choice(["GA", "GB", "GN"]),
            standard: "GA",
            summary: "Which generation of kms.KmsEndpoint is served beside the own service."),
        ConfigurationKey(
            name: "decryption-compat-status", environment: "KMS_DECRYPTION_COMPAT_STATUS", kind: .boolean,
            standard: "false", summary: "Answers every failure with ABORTED and the original's three texts."),
        ConfigurationKey(
            name: "decryption-client-cacerts", environment: "KMS_DECRYPTION_CLIENT_CACERTS", kind: .text, standard: "",
            summary: "PEM files of the authorities of clients' certificates; with any, a client must show one."),
        ConfigurationKey(
            name: "decryption-max-message", environment: "KMS_DECRYPTION_MAX_MESSAGE",
            kind: .byteCount((64 << 10)...(100 << 20)), standard: "4MiB",
            summary: "Largest request of the decryption API."),
        ConfigurationKey(
            name: "decryption-chain-id", environment: "KMS_DECRYPTION_CHAIN_ID", kind: .text, standard: "",
            summary: "Chain id in the headers of the chain that marks ciphertexts."),
        ConfigurationKey(
            name: "decryption-acl-contract", environment: "KMS_DECRYPTION_ACL_CONTRACT", kind: .text, standard: "",
            summary: "Address of the contract that keeps the permissions: 0x and 40 hexadecimal digits."),
        ConfigurationKey(
            name: "decryption-acl-layout", environment: "KMS_DECRYPTION_ACL_LAYOUT",
            kind: .choice(["namespaced", "early"]), standard: "namespaced",
            summary: "How that contract stores them: in fhevm.storage.ACL, or from slot 0 (decryption only)."),
        ConfigurationKey(
            name: "decryption-proof-form", environment: "KMS_DECRYPTION_PROOF_FORM",
            kind: .choice(["ics23", "gx", "eth"]), standard: "ics23",
            summary:
                "What proofs are: ProofOps, these in EthermintPermissionProof, or eth_getProof in EvmPermissionProof."),
        ConfigurationKey(
            name: "decryption-light-client", environment: "KMS_DECRYPTION_LIGHT_CLIENT",
            kind: .choice(["embedded", "proxy"]), standard: "embedded",
            summary: "Who verifies headers: this daemon, or a light proxy on this machine."),
        ConfigurationKey(
            name: "decryption-rpc", environment: "KMS_DECRYPTION_RPC", kind: .text, standard: "",
            summary: "URL of a CometBFT node's RPC, or of the light proxy; see outbound-allow."),
        ConfigurationKey(
            name: "decryption-witnesses", environment: "KMS_DECRYPTION_WITNESSES", kind: .text, standard: "",
            summary: "URLs of other nodes that must show the same headers, separated by commas; at least one."),
        ConfigurationKey(
            name: "decryption-trust", environment: "KMS_DECRYPTION_TRUST", kind: .text, standard: "",
            summary: "HEIGHT:HASH of the header where trust begins."),
        ConfigurationKey(
            name: "decryption-trusting-period", environment: "KMS_DECRYPTION_TRUSTING_PERIOD", kind: .duration,
            standard: "168h", summary: "How long a header is trusted; well below the chain's unbonding time."),
        ConfigurationKey(
            name: "decryption-sequential", environment: "KMS_DECRYPTION_SEQUENTIAL", kind: .boolean, standard: "false",
            summary: "Verifies every header on the way instead of skipping."),
        ConfigurationKey(
            name: "decryption-poll", environment: "KMS_DECRYPTION_POLL", kind: .duration, standard: "1s",
            summary: "How often the head of the chain is asked for."),
        ConfigurationKey(
            name: "decryption-max-proof-age", environment: "KMS_DECRYPTION_MAX_PROOF_AGE", kind: .number(1...100_000),
            standard: "100", summary: "How many blocks a proof may be behind the latest trusted header."),
        ConfigurationKey(
            name: "decryption-max-head-age", environment: "KMS_DECRYPTION_MAX_HEAD_AGE", kind: .duration,
            standard: "1h", summary: "How old the latest trusted header may be by its own time; 0 for no bound."),
        ConfigurationKey(
            name: "decryption-key", environment: "KMS_DECRYPTION_KEY", kind: .text, standard: "",
            summary: "Key of requests that name none; empty for the only one that is enabled."),
        ConfigurationKey(
            name: "decryption-format", environment: "KMS_DECRYPTION_FORMAT",
            kind: .choice(["raw-0.4", "raw-0.6", "safe-0.3", "raw-1.x", "safe-0.5"]),
            standard: "raw-0.4 for GA, raw-0.6 for GB and GN", summary: "Format of ciphertexts in the generations."),
        ConfigurationKey(
            name: "decryption-require-user-auth", environment: "KMS_DECRYPTION_REQUIRE_USER_AUTH", kind: .boolean,
            standard: "true",
            summary: "false: in generations GA and GB the key of the request stands for its user in re-encryptions."),
        ConfigurationKey(
            name: "decryption-auth-chain-id", environment: "KMS_DECRYPTION_AUTH_CHAIN_ID", kind: .text, standard: "",
            summary: "EIP-712 chain id that users' authorisations must be for."),
        ConfigurationKey(
            name: "decryption-auth-contract", environment: "KMS_DECRYPTION_AUTH_CONTRACT", kind: .text, standard: "",
            summary: "EIP-712 verifying contract that users' authorisations must be for."),
        ConfigurationKey(
            name: "decryption-rate", environment: "KMS_DECRYPTION_RATE", kind: .number(0...1_000_000), standard: "0",
            summary: "Requests per second of one caller; 0 for no bound."),
    ]
}

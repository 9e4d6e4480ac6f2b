import ArgumentParser

/// The decryption API.
struct DecryptionOptions: ParsableArguments {
    @Option(name: .customLong("decryption-host"), help: .setting("decryption-host")) var host: String?
    @Option(name: .customLong("decryption-generation"), help: .setting("decryption-generation")) var generation: String?
    @Option(name: .customLong("decryption-compat-status"), help: .setting("decryption-compat-status")) var compatStatus:
        String?
    @Option(name: .customLong("decryption-client-cacerts"), help: .setting("decryption-client-cacerts"))
    var clientCacerts: String?
    @Option(name: .customLong("decryption-max-message"), help: .setting("decryption-max-message")) var maxMessage:
        String?
    @Option(name: .customLong("decryption-chain-id"), help: .setting("decryption-chain-id")) var chainId: String?
    @Option(name: .customLong("decryption-acl-contract"), help: .setting("decryption-acl-contract")) var aclContract:
        String?
    @Option(name: .customLong("decryption-acl-layout"), help: .setting("decryption-acl-layout")) var aclLayout: String?
    @Option(name: .customLong("decryption-proof-form"), help: .setting("decryption-proof-form")) var proofForm: String?
    @Option(name: .customLong("decryption-light-client"), help: .setting("decryption-light-client")) var lightClient:
        String?
    @Option(name: .customLong("decryption-rpc"), help: .setting("decryption-rpc")) var rpc: String?
    @Option(name: .customLong("decryption-witnesses"), help: .setting("decryption-witnesses")) var witnesses: String?
    @Option(name: .customLong("decryption-trust"), help: .setting("decryption-trust")) var trust: String?
    @Option(name: .customLong("decryption-trusting-period"), help: .setting("decryption-trusting-period"))
    var trustingPeriod: String?
    @Option(name: .customLong("decryption-sequential"), help: .setting("decryption-sequential")) var sequential: String?
    @Option(name: .customLong("decryption-poll"), help: .setting("decryption-poll")) var poll: String?
    @Option(name: .customLong("decryption-max-proof-age"), help: .setting("decryption-max-proof-age")) var maxProofAge:
        String?
    @Option(name: .customLong("decryption-max-head-age"), help: .setting("decryption-max-head-age")) var maxHeadAge:
        String?
    @Option(name: .customLong("decryption-key"), help: .setting("decryption-key")) var key: String?
    @Option(name: .customLong("decryption-format"), help: .setting("decryption-format")) var format: String?
    @Option(name: .customLong("decryption-require-user-auth"), help: .setting("decryption-require-user-auth"))
    var requireUserAuth: String?
    @Option(name: .customLong("decryption-auth-chain-id"), help: .setting("decryption-auth-chain-id")) var authChainId:
        String?
    @Option(name: .customLong("decryption-auth-contract"), help: .setting("decryption-auth-contract")) var authContract:
        String?
    @Option(name: .customLong("decryption-rate"), help: .setting("decryption-rate")) var rate: String?

    /// By setting name.
    var flags: [String: String] {  // exact: names of settings, which the catalogue writes in ASCII.
        // exact: the same.
        let all: [String: String?] = [
            "decryption-host": host,
            "decryption-generation": generation,
            "decryption-compat-status": compatStatus,
            "decryption-client-cacerts": clientCacerts,
            "decryption-max-message": maxMessage,
            "decryption-chain-id": chainId,
            "decryption-acl-contract": aclContract,
            "decryption-acl-layout": aclLayout,
            "decryption-proof-form": proofForm,
            "decryption-light-client": lightClient,
            "decryption-rpc": rpc,
            "decryption-witnesses": witnesses,
            "decryption-trust": trust,
            "decryption-trusting-period": trustingPeriod,
            "decryption-sequential": sequential,
            "decryption-poll": poll,
            "decryption-max-proof-age": maxProofAge,
            "decryption-max-head-age": maxHeadAge,
            "decryption-key": key,
            "decryption-format": format,
            "decryption-require-user-auth": requireUserAuth,
            "decryption-auth-chain-id": authChainId,
            "decryption-auth-contract": authContract,
            "decryption-rate": rate,
        ]
        return all.compactMapValues { $0 }
    }
}

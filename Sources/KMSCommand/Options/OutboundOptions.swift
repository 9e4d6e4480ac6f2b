import ArgumentParser

/// Calls to other servers. Settings whose names are TrustBloc's are among ``CompatibilityOptions``.
struct OutboundOptions: ParsableArguments {
    @Option(name: .customLong("outbound-allow"), help: .setting("outbound-allow")) var outboundAllow: String?
    @Option(name: .customLong("edv-timeout"), help: .setting("edv-timeout")) var edvTimeout: String?
    @Option(name: .customLong("key-manager-storage-url"), help: .setting("key-manager-storage-url"))
    var keyManagerStorageURL: String?

    /// By setting name.
    var flags: [String: String] {  // exact: names of settings and members, this program's own.
        let all: [String: String?] = [  // exact: names of settings and members, this program's own.
            "outbound-allow": outboundAllow, "edv-timeout": edvTimeout, "key-manager-storage-url": keyManagerStorageURL,
        ]
        return all.compactMapValues { $0 }
    }
}

import ArgumentParser

/// The split-key front.
struct SplitOptions: ParsableArguments {
    @Option(name: .customLong("role"), help: .setting("role")) var role: String?
    @Option(name: .customLong("split-auth-url"), help: .setting("split-auth-url")) var authorityURL: String?
    @Option(name: .customLong("split-profile"), help: .setting("split-profile")) var profile: String?
    @Option(name: .customLong("split-rate"), help: .setting("split-rate")) var rate: String?
    @Option(name: .customLong("split-wrong-rate"), help: .setting("split-wrong-rate")) var wrongRate: String?
    @Option(name: .customLong("split-txn-reply"), help: .setting("split-txn-reply")) var transactionReply: String?
    @Option(name: .customLong("split-anchors"), help: .setting("split-anchors")) var anchors: String?
    @Option(name: .customLong("split-anchor-storage"), help: .setting("split-anchor-storage")) var storage: String?
    @Option(name: .customLong("split-anchor-recovery"), help: .setting("split-anchor-recovery")) var recovery: String?

    /// By setting name.
    var flags: [String: String] {  // exact: names of settings and members, this program's own.
        let all: [String: String?] = [  // exact: names of settings and members, this program's own.
            "role": role,
            "split-auth-url": authorityURL,
            "split-profile": profile,
            "split-rate": rate,
            "split-wrong-rate": wrongRate,
            "split-txn-reply": transactionReply,
            "split-anchors": anchors,
            "split-anchor-storage": storage,
            "split-anchor-recovery": recovery,
        ]
        return all.compactMapValues { $0 }
    }
}

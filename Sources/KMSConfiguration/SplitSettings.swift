public import Anchors
public import SplitKeys

/// How the split-key front is run.
public struct SplitSettings: Sendable, Hashable {
    public enum Role: Sendable, Hashable {
        case all
        /// The co-signing role is at this URL.
        case vault(authority: String)
        case authority
    }

    public var role: Role
    public var service: SplitConfiguration
    public var anchors: AnchorSettings
    /// Whether `sign/txn` answers the whole transaction instead of its signature.
    public var returnsTransactions: Bool

    init(_ values: ConfigurationValues, keystoreTTL: Duration) throws(ConfigurationError) {
        let url = values.text("split-auth-url").flatMap { $0.isEmpty ? nil : $0 }
        switch (values.text("role") ?? "all", url) {
        case ("vault", let url?):
            role = .vault(
                authority: try Configuration.explained(values, "split-auth-url") { _ throws(ConfigurationError) in
                    try URLSetting.read(url, .base)
                })
        case ("vault", nil): throw ConfigurationError("'role: vault' needs split-auth-url")
        case (_, _?): throw ConfigurationError("\(values.origin("split-auth-url")) is for 'role: vault'")
        case ("auth", nil): role = .authority
        default: role = .all
        }
        service = SplitConfiguration()
        service.profile = values.text("split-profile").flatMap(SplitConfiguration.Profile.init(rawValue:)) ?? .compat
        service.signaturesPerSecond = values.number("split-rate") ?? 0
        service.wrongHalvesPerSecond = values.number("split-wrong-rate") ?? service.wrongHalvesPerSecond
        service.shareTTL = keystoreTTL
        returnsTransactions = values.text("split-txn-reply") == "transaction"
        anchors = AnchorSettings()
        if let text = values.text("split-anchors"), let placement = AnchorSettings.Placement(rawValue: text) {
            anchors.placement = placement
        }
        if let text = values.text("split-anchor-storage"), let storage = AnchorSettings.Storage(rawValue: text) {
            anchors.storage = storage
        }
        if let text = values.text("split-anchor-recovery"), let recovery = AnchorSettings.Recovery(rawValue: text) {
            anchors.recovery = recovery
        }
    }
}

extension Target {
    /// The route as the metrics name it: without identifiers, with the action.
    var metricPath: String {
        switch self {
        case .action(let action, _, _): "/v1/keystores/{keystore}/keys/{key}/" + action.rawValue
        case .agreement(let agreement, _, nil): "/v1/keystores/{keystore}/" + agreement.rawValue
        case .agreement(let agreement, _, _): "/v1/keystores/{keystore}/keys/{key}/" + agreement.rawValue
        default: "\(template)"
        }
    }
}

import Encodings

/// The table of groups and the functions each allows, and what the strict profile binds a group to.
///
/// - Source: the groups that 0Chain's clients carry.
public struct Restrictions: Sendable {

    static let groups: [ExactText: Set<ExactText>] = [
        "token_transfers": ["transfer"],
        "allocation_file_operations": ["read_redeem", "commit_connection"],
        "allocation_storage_operations": [
            "new_allocation_request", "update_allocation_request", "finalize_allocation", "cancel_allocation",
            "add_free_storage_assigner", "free_allocation_request",
        ],
        "allocation_token_operations": ["read_pool_lock", "read_pool_unlock", "write_pool_lock"],
        "storage_rewards": ["collect_reward", "stake_pool_lock", "stake_pool_unlock"],
        "storage_operations": [
            "challenge_response", "add_validator", "add_blobber", "blobber_health_check", "validator_health_check",
        ],
        "storage_management": [
            "kill_blobber", "kill_validator", "shutdown_blobber", "shutdown_validator", "update_blobber_settings",
            "update_validator_settings",
        ],
        "miner_operations": [
            "add_miner", "add_sharder", "miner_health_check", "sharder_health_check", "contributeMpk",
            "shareSignsOrShares", "wait", "sharder_keep",
        ],
        "miner_management_operations": [
            "delete_miner", "delete_sharder", "update_miner_settings", "kill_miner", "kill_sharder",
        ],
        "miner_financial_operations": ["addToDelegatePool", "deleteFromDelegatePool", "collect_reward"],
        "token_bridging": ["mint", "burn"],
        "authorizer_management_operations": ["delete-authorizer"],
        "authorizer_operations": [
            "add-authorizer", "authorizer-health-check", "add-to-delegate-pool", "delete-from-delegate-pool",
        ],
    ]

    private static let prefix = "6dba10422e368813802877a85039d3985d96760ed844092319743fb3a767"

    /// Which contract a group's functions belong to; nil for plain transfers.
    static func contract(of group: String) -> String? {
        switch group {
        case "token_transfers": nil
        case "miner_operations", "miner_management_operations", "miner_financial_operations": prefix + "12d9"
        case "token_bridging", "authorizer_management_operations", "authorizer_operations": prefix + "12e0"
        default: prefix + "12d7"
        }
    }

    /// Checks names a caller wants to set.
    ///
    /// - Returns: The names without repetition, in order.
    /// - Throws: `.invalidArgument` for an unknown group or too many.
    public static func check(_ names: [String]) throws(SplitKeyError) -> [String] {
        guard names.count <= SplitPolicy.mostRestrictions else {
            throw .invalid("a key has at most \(SplitPolicy.mostRestrictions) restrictions")
        }
        var checked: [String] = []
        for name in names {
            guard groups[ExactText(name)] != nil else {
                throw .invalid(
                    "there is no group '\(name.prefix(64))'; known are \(groups.keys.sorted().map(\.text).joined(separator: ", "))"
                )
            }
            if !checked.containsExactly(name) { checked.append(name) }
        }
        return checked
    }

    /// Decides whether a key with these groups may sign the transaction.
    ///
    /// - Parameter isBound: The strict profile: the receiver must be the group's contract, and value to any other
    ///   address needs `token_transfers`, because the hash covers neither type nor contract.
    /// - Throws: `.notPermitted`.
    static func permit(
        _ transaction: SplitTransaction, groups names: [String], isBound: Bool
    ) throws(SplitKeyError) {
        guard let function = transaction.function else {
            throw SplitKeyError(
                .notPermitted, "'transaction_data' must be a JSON object with the function's 'name'")
        }
        let allowing = names.filter { groups[ExactText($0)]?.contains(ExactText(function)) == true }
        guard !allowing.isEmpty else {
            throw SplitKeyError(
                .notPermitted, "the key's restrictions do not allow '\(function.prefix(64))'; set a group that does")
        }
        guard isBound else { return }
        let receivers = allowing.map { contract(of: $0) }
        if receivers.contains(where: { $0 == nil || $0?.isExactly(transaction.receiver) == true }) { return }
        throw SplitKeyError(
            .notPermitted, "the key's restrictions allow '\(function.prefix(64))' at its contract only")
    }
}

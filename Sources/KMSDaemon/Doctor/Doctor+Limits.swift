import KMSConfiguration

extension Doctor {
    /// As far as this shell's limits tell: a unit of systemd has its own.
    mutating func checkDescriptors(_ settings: Configuration) {
        let budget = DescriptorBudget(settings, limit: ProcessLimits.mostAllowedDescriptors)
        checks.append(
            Check(
                name: "open files", grade: !budget.isEnough ? .fail : budget.isClamped ? .warn : .ok,
                message: budget.isEnough
                    ? budget.summary
                    : "\(budget.limit) are allowed, and the daemon needs "
                        + "\(budget.reserved + DescriptorBudget.leastConnections)",
                remedy: budget.isEnough && !budget.isClamped ? nil : DescriptorBudget.remedy))
    }
}

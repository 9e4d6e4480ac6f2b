import DecryptionAPI
import PrometheusMetrics

/// What the process uses of its limits, for the page of metrics.
struct ProcessMeters: Sendable {
    let budget: DescriptorBudget
    let connections: ConnectionTable
    /// Of the gRPC front; nil without one.
    var decryption: (connections: ConnectionTable, meters: FrontMeters)?

    func write(to text: inout PrometheusText) {
        let gauges: [(String, String, Int)] = [
            ("kms_connections", "Connections that are open.", connections.count),
            (
                "kms_connections_limit", "Connections that may be open, as the limit of open files allows.",
                budget.connections
            ),
            ("kms_open_files", "Descriptors that are open.", ProcessLimits.openDescriptors ?? 0),
            ("kms_open_files_limit", "Descriptors that may be open.", budget.limit),
        ]
        for (name, help, value) in gauges {
            text.family(name, .gauge, help)
            text.value(name, UInt64(max(0, value)))
        }
        let counters: [(String, String, UInt64)] = [
            (
                "kms_connections_closed_for_others_count",
                "Connections that waited for their client and were closed for a new one.", connections.closedForOthers
            ),
            (
                "kms_accept_failures_count", "Connections that the system did not let the daemon accept.",
                connections.acceptFailures
            ),
            ("kms_log_lines_dropped_count", "Lines of the log that found no reader in time.", ServiceLog.dropped),
            ("kms_log_lines_left_out_count", "Lines of the log that were too many of one kind.", ServiceLog.leftOut),
        ]
        for (name, help, value) in counters {
            text.family(name, .counter, help)
            text.value(name, value)
        }
        if let decryption { write(decryption.connections, decryption.meters, to: &text) }
    }

    private func write(_ connections: ConnectionTable, _ meters: FrontMeters, to text: inout PrometheusText) {
        let gauges: [(String, String, Int)] = [
            ("kms_decryption_connections", "Connections of the decryption API that are open.", connections.count),
            ("kms_decryption_connections_limit", "How many of them may be.", budget.decryptionConnections),
        ]
        for (name, help, value) in gauges {
            text.family(name, .gauge, help)
            text.value(name, UInt64(max(0, value)))
        }
        let counters: [(String, String, UInt64)] = [
            (
                "kms_decryption_connections_closed_for_others_count",
                "Connections of the decryption API that were closed for new ones.", connections.closedForOthers
            ),
            (
                "kms_decryption_accept_failures_count",
                "Connections that the system did not let the decryption API accept.", connections.acceptFailures
            ),
        ]
        for (name, help, value) in counters {
            text.family(name, .counter, help)
            text.value(name, value)
        }
        meters.write(to: &text)
    }
}

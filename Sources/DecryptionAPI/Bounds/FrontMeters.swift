import GRPCCore
public import PrometheusMetrics
import Synchronization

/// What is measured of the gRPC front and of the light client behind it. No label holds what a caller chose.
///
/// - Concurrency: any thread.
public final class FrontMeters: Sendable {
    private struct Operation {
        var count: UInt64 = 0
        var errors: [Int: UInt64] = [:]
        let times = Histogram()
    }

    private struct State {
        // exact: the names are this program's own, in ASCII.
        var operations: [String: Operation] = [:]
        var refusals: [FrontRefusal: UInt64] = [:]
        // exact: the names are this program's own, in ASCII.
        var failures: [String: UInt64] = [:]
        var height: Int64 = 0
        var use: FrontUse?
    }

    private let state = Mutex(State())
    private let inFlight = Atomic<Int>(0)

    public init() {}

    func attach(_ use: FrontUse) { state.withLock { $0.use = use } }

    func began() { inFlight.add(1, ordering: .relaxed) }

    /// - Parameters:
    ///   - operation: The method's name, or `other`; never what a caller wrote.
    ///   - status: gRPC's number.
    func ended(_ operation: String, status: Int, since start: ContinuousClock.Instant) {
        inFlight.subtract(1, ordering: .relaxed)
        let duration = ContinuousClock.now - start
        let times = state.withLock { state in
            var entry = state.operations[operation] ?? Operation()
            entry.count += 1
            if status != 0 { entry.errors[(1...16).contains(status) ? status : 2, default: 0] += 1 }
            state.operations[operation] = entry
            return entry.times
        }
        times.record(duration)
    }

    func refused(_ reason: FrontRefusal) { state.withLock { $0.refusals[reason, default: 0] += 1 } }

    /// One step of the light client.
    ///
    /// - Parameters:
    ///   - height: Of the latest verified header; nil while there is none to serve.
    ///   - failure: The word for what failed; nil if nothing did.
    public func stepped(height: Int64?, failure: String?) {
        state.withLock { state in
            if let height { state.height = height }
            if let failure { state.failures[failure, default: 0] += 1 }
        }
    }

    /// Adds the families of the front.
    public func write(to text: inout PrometheusText) {
        let state = state.withLock { $0 }
        let operations = state.operations.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        text.family("kms_operations_total", .counter, "Questions of the decryption API that ended, by method.")
        for (name, entry) in operations {
            text.value("kms_operations_total", labels: ["operation": name], entry.count)
        }
        text.family("kms_operation_errors_total", .counter, "Those with another status than OK, by method and status.")
        for (name, entry) in operations {
            for (status, count) in entry.errors.sorted(by: { $0.key < $1.key }) {
                let labels = ["operation": name, "error": Self.names[status]]
                text.value("kms_operation_errors_total", labels: labels, count)
            }
        }
        text.family(
            "kms_operation_duration_ms", .histogram, "Milliseconds from a question's head to the end of its answer.")
        for (name, entry) in operations {
            text.value("kms_operation_duration_ms", labels: ["operation": name], entry.times, inMilliseconds: true)
        }
        let gauges: [(String, String, Int)] = [
            ("kms_operations_in_flight", "Questions under way.", inFlight.load(ordering: .relaxed)),
            (
                "kms_decryption_message_bytes", "Bytes of questions that are being read or answered.",
                state.use?.bytes ?? 0
            ),
            ("kms_decryption_message_bytes_limit", "How many they may be.", state.use?.limits.bytes ?? 0),
            ("kms_decryption_verified_height", "Height of the latest verified header.", Int(state.height)),
        ]
        for (name, help, value) in gauges {
            text.family(name, .gauge, help)
            text.value(name, UInt64(max(0, value)))
        }
        text.family("kms_decryption_refusals_total", .counter, "What the front turned away unread, by reason.")
        for reason in FrontRefusal.allCases {
            text.value(
                "kms_decryption_refusals_total", labels: ["reason": reason.rawValue], state.refusals[reason] ?? 0)
        }
        text.family("kms_decryption_light_client_failures_total", .counter, "Steps of the light client that failed.")
        for (code, count) in state.failures.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            text.value("kms_decryption_light_client_failures_total", labels: ["reason": code], count)
        }
    }

    /// gRPC's own names, by number.
    private static let names = [
        "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
        "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
        "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
    ]
}

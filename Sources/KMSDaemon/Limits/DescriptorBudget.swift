package import KMSConfiguration
import NIOCore

/// How the descriptors that this process may have open are shared out, so that it never asks for one more: its runtime
/// ends the process that has none left.
package struct DescriptorBudget: Sendable, Equatable {
    /// Fewer connections are no service.
    static let leastConnections = 4
    /// Accepted beyond the bound until the connections that make room for them are closed.
    static let transient = 8

    /// What the process may have open.
    let limit: Int
    /// `max-connections`.
    let asked: Int
    /// Of the metrics listener; 0 without one.
    let metricsConnections: Int
    /// Connections of the gRPC front; 0 without one.
    let decryptionConnections: Int
    /// Calls to other servers at once: half of them to those that settings name, half to those that callers name.
    let outboundCalls: Int
    /// Readers of each database.
    package let readers: Int
    /// What connections of clients must leave free.
    let reserved: Int

    package init(_ settings: Configuration, limit: Int = ProcessLimits.descriptors) {
        let isTight = limit < ProcessLimits.fewDescriptors
        self.limit = limit
        asked = settings.maximumConnections
        metricsConnections = settings.metrics == nil ? 0 : isTight ? 3 : 16
        outboundCalls = min(128, max(4, limit / 32))
        readers = isTight ? 2 : 4
        let loops = isTight ? min(2, System.coreCount) : System.coreCount
        // A connection has the file and its log; the file's index and a directory that is flushed come once.
        let database = 2 * (readers + 1) + 4
        let audit = 2 * (min(2, readers) + 1) + 4
        let hasToken = settings.token != nil || settings.tpm != nil
        let sessions = settings.tokenSessions ?? min(8, max(2, System.coreCount))
        var reserved = 14 + 4 * loops  // Standard ones, locks, listener, loops, timers, /proc, certificates.
        reserved += database + audit + (hasToken && settings.tokens != nil ? 2 * database : 0)
        reserved += hasToken ? sessions + 6 : 0  // What a module opens for a moment in each session.
        reserved += 2 * outboundCalls  // Those under way, and those kept open for the next.
        reserved += metricsConnections == 0 ? 0 : metricsConnections + 2
        reserved += Self.transient
        if settings.decryption == nil {
            decryptionConnections = 0
        } else {
            reserved += database
            // A fourth of what both fronts may have; its listener, and those beyond the bound for a moment.
            let share = min(asked, limit - reserved) / 4
            decryptionConnections = max(Self.leastConnections, share)
            reserved += decryptionConnections + 1 + Self.transient
        }
        self.reserved = reserved
    }

    /// Connections served at once.
    var connections: Int { min(asked, limit - reserved) }

    var isEnough: Bool { connections >= min(asked, Self.leastConnections) }
    package var isClamped: Bool { connections < asked }

    package var summary: String {
        "at most \(connections) connections are served at once"
            + (decryptionConnections == 0 ? "" : ", and \(decryptionConnections) by the decryption API")
            + "; \(limit) open files are allowed, \(reserved) of them are kept for "
            + (decryptionConnections == 0 ? "" : "the decryption API, ")
            + "the token, the databases, calls to other servers and the log"
    }

    package static let remedy = "raise LimitNOFILE= of the unit, or `ulimit -n`; or lower max-connections"

    /// - Throws: ``CommandFailure`` if too few are left to serve anybody.
    package func check() throws {
        guard isEnough else {
            throw CommandFailure(
                .configuration, code: "limits",
                "the limit of open files is \(limit), and the daemon needs \(reserved + Self.leastConnections): "
                    + Self.remedy)
        }
    }
}

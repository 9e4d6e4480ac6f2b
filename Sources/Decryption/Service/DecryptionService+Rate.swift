import Audit
import Foundation

/// How often callers may ask.
extension DecryptionService {
    /// Unix seconds.
    var now: UInt64 { UInt64(max(0, clock().timeIntervalSince1970)) }

    /// Records the refusals that were only counted.
    ///
    /// - Parameter isLast: Whether nothing comes after it.
    public func tellRefusals(isLast: Bool) async {
        for (kind, count) in refusals.take(at: Int64(clamping: now), isLast: isLast) {
            _ = try? await audit.record(RefusalCounts.event(front: "decryption", kind, count))
        }
    }

    /// Whether a caller may ask now; called before anything of the question is read. Of refusals, one a minute and caller is
    /// recorded, since the front's meters count them all.
    ///
    /// - Parameters:
    ///   - caller: The name in his certificate, or where he comes from.
    ///   - cost: In questions.
    ///   - operation: The word of the record; nil for what is not recorded.
    public func admits(_ caller: String, cost: Double, operation: String?) -> Bool {
        guard case .refused(let isNew) = rate.take(caller, cost: cost) else { return true }
        if isNew, let operation {
            let audit = audit
            Task {
                _ = try? await audit.record(
                    AuditEvent(
                        front: "decryption", actor: caller, operation: operation, subject: "", outcome: .refused,
                        reason: "rate", requestID: ""))
            }
        }
        return false
    }
}

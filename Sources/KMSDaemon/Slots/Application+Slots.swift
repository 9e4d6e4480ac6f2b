import EnclaveLock
import KMSConfiguration
package import Logging

extension Application {
    /// Tells which lock slots are at hand, and what serving without the token means.
    package func tellSlots(to logger: Logger) {
        if let recovery {
            func words(_ slots: [LockSlot]) -> String {
                slots.isEmpty ? "none" : slots.map { "\($0.id) \($0.kind.name)" }.joined(separator: ", ")
            }
            let (here, away) = recovery.record.slots.partitioned { recovery.isAtHand($0) }
            logger.info("lock slots", metadata: ["at-hand": "\(words(here))", "away": "\(words(away))"])
        }
        guard settings.locks.isWithoutToken else { return }
        let meaning =
            "serving without the token: lock slots open sealed keystores; resident keys, split keys, receipts and "
            + "attestations are away, and the record of decisions is signed and compared when the token is back"
        logger.warning(
            "\(meaning)", metadata: ["remedy": "start without 'without-token' as soon as the token is there"])
    }
}

extension Array {
    fileprivate func partitioned(_ belongs: (Element) -> Bool) -> (here: [Element], away: [Element]) {
        (filter(belongs), filter { !belongs($0) })
    }
}

import EnclaveLock
import KMSConfiguration
import Keystores

/// The lock slots, as the files say: none is opened.
extension Doctor {
    mutating func checkSlots(_ settings: Configuration) async {
        let work = SlotWork(settings)
        do {
            guard let (record, reach) = try await work.list() else {
                guard settings.locks.isWithoutToken else { return }
                return add(
                    "slots", ConfigurationError("'without-token' is set, and this home has no lock slots"),
                    remedy: "unset it, or restore slots.json from the backup")
            }
            let kinds = record.slots.map { "\($0.id) \($0.kind.name)" }.joined(separator: ", ")
            checks.append(
                Check(
                    name: "slots", grade: .ok,
                    message: "any of the lock slots \(kinds) opens \(reach.reached) keystores",
                    remedy: nil))
            if record.slots.count == 1 {
                checks.append(
                    Check(
                        name: "slots", grade: .warn, message: "there is only the slot of the daemon's own lock",
                        remedy: "add another with `kmsd slot add`"))
            }
            if reach.waitingTotal > 0 {
                checks.append(
                    Check(
                        name: "slots", grade: .warn,
                        message: "\(reach.waitingTotal) keystores open with their own lock alone",
                        remedy: "stop the daemon and run `kmsd slot fill`"))
            }
            if settings.locks.isWithoutToken {
                checks.append(
                    Check(
                        name: "slots", grade: .warn,
                        message: "'without-token' is set: the record of decisions is unsigned",
                        remedy: "unset it as soon as the token is back"))
            }
        } catch {
            add("slots", error, remedy: "restore slots.json from the backup")
        }
    }
}

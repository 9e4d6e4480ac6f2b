import EnclaveLock
import Keystores
import PrometheusMetrics
import Synchronization

/// Everything that is measured, and the page that tells it. Names and labels are TrustBloc's; no label holds
/// an id, a name or anything else a caller chose.
final class ServiceMetrics: Sendable {
    let requests = RequestMetrics()
    /// Checking a capability.
    let capabilities = Histogram()
    /// What the process uses of its limits; nil in tests that start no server.
    let process = Mutex<ProcessMeters?>(nil)
    private let keystores: KeystoreMeters
    private let store: StoreMeters

    /// Switches the meters on.
    init(keystores: KeystoreMeters, store: StoreMeters) {
        self.keystores = keystores
        self.store = store
        keystores.meter.switchOn()
        store.meter.switchOn()
    }

    var page: String {
        var text = PrometheusText()
        requests.write(to: &text)
        let plain: [(String, String, Histogram)] = [
            ("kms_crypto_sign_seconds", "Time to make a signature.", keystores.sign),
            ("kms_key_store_resolve_seconds", "Time to find and open a keystore.", keystores.resolve),
            ("kms_key_store_get_key_seconds", "Time to find and open a key.", keystores.getKey),
            ("kms_zcap_middleware_seconds", "Time to check a capability.", capabilities),
        ]
        for (name, help, histogram) in plain {
            text.family(name, .histogram, help)
            text.value(name, histogram)
        }
        // `aws` and `key` are TrustBloc's; the other locks are ours.
        var locks = LockKind.allCases.filter(\.locksKeystores).map {
            ($0.name, "a secret lock of kind \($0.name)", keystores.locks.times(of: $0))
        }
        locks.append(("key", "a keystore's lock key", keystores.locks.key))
        for (name, what, times) in locks {
            for (operation, histogram) in [("encrypt", times.encrypt), ("decrypt", times.decrypt)] {
                let family = "kms_key_store_\(name)_secret_lock_\(operation)_seconds"
                text.family(family, .histogram, "Time to \(operation) with \(what).")
                text.value(family, histogram)
            }
        }
        let operations = [
            ("put", store.put), ("get", store.get), ("query", store.query), ("delete", store.delete),
            ("batch", store.batch),
        ]
        for (operation, histogram) in operations {
            text.family("kms_db_\(operation)_seconds", .histogram, "Time of the database operation \(operation).")
            text.value("kms_db_\(operation)_seconds", labels: ["type": "SQLite"], histogram)
        }
        process.withLock { $0 }?.write(to: &text)
        return text.text
    }
}

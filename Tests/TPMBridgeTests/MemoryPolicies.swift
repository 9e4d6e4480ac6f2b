import Synchronization
import TPMBridge
import Token

/// A record in memory, and how often it was written.
final class MemoryPolicies: TPMPolicyStore {
    private let state = Mutex<(record: TPMPolicyRecord?, writes: Int)>((nil, 0))

    init(_ record: TPMPolicyRecord? = nil) { state.withLock { $0.record = record } }

    var record: TPMPolicyRecord? {
        get { state.withLock { $0.record } }
        set { state.withLock { $0.record = newValue } }
    }

    var writes: Int { state.withLock { $0.writes } }

    func read() throws(HSMError) -> TPMPolicyRecord? { record }

    func write(_ record: TPMPolicyRecord) throws(HSMError) {
        state.withLock { state in
            state.record = record
            state.writes += 1
        }
    }
}

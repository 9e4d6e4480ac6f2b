import Dispatch
import Synchronization

/// Waits for an asynchronous parser on the thread that feeds it, which is none of the cooperative pool's.
func waiting<R: Sendable>(_ body: @escaping @Sendable () async -> R) -> R {
    let done = DispatchSemaphore(value: 0)
    let result = Mutex<R?>(nil)
    Task {
        let value = await body()
        result.withLock { $0 = value }
        done.signal()
    }
    done.wait()
    guard let value = result.withLock({ $0 }) else { preconditionFailure("the task has set it") }
    return value
}

import CP11Kit
import Token

/// The one door into a module's function table: here calls are counted, timed, reported, and made to fail on demand.
///
/// One per token, so that observers and fault plans belong to a token while the module may be shared.
///
/// - Concurrency: any thread that may block.
final class CallDoor: Sendable {
    let module: Module
    private let observer: any CallObserver
    private let faults: FaultPlan?

    init(module: Module, observer: any CallObserver, faults: FaultPlan?) {
        self.module = module
        self.observer = observer
        self.faults = faults
    }

    /// Makes one call and hands back what it returned.
    ///
    /// - Parameters:
    ///   - function: The C name, for observers, fault plans and errors.
    ///   - epoch: The initialisation of the module that the caller's handles belong to. If the module was initialised
    ///     again since, nothing is called and CKR_SESSION_HANDLE_INVALID is returned, which is what it would be.
    func result(
        of function: StaticString, epoch: UInt64, _ body: (UnsafeMutablePointer<CK_FUNCTION_LIST>) -> CK_RV
    ) -> ReturnValue {
        let start = ContinuousClock.now
        let value: ReturnValue
        if let injected = faults?.fault(for: function) {
            value = injected
        } else {
            value = ReturnValue(rawValue: module.perform(epoch: epoch, body) ?? CK_RV(CKR_SESSION_HANDLE_INVALID))
        }
        observer.didCall(function, returned: value, duration: ContinuousClock.now - start)
        return value
    }

    /// Makes one call that must return CKR_OK.
    func call(
        _ function: StaticString, epoch: UInt64, _ body: (UnsafeMutablePointer<CK_FUNCTION_LIST>) -> CK_RV
    ) throws(HSMError) {
        let value = result(of: function, epoch: epoch, body)
        guard value == .ok else { throw HSMError.returned(value, by: function) }
    }

    /// What a call put out, unless a fault plan alters it.
    func answer(_ bytes: [UInt8], of function: StaticString) -> [UInt8] {
        faults?.altered(bytes, of: function) ?? bytes
    }
}

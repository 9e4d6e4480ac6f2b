/// Keeps small values where copies of a disk do not reach, so that an older copy of a database is noticed.
///
/// Each keeping raises a counter that nothing lowers. Whoever writes elsewhere what it stood at notices by that when the
/// device's own state was put back from an older copy.
public protocol RollbackProtectedStorage: Sendable {
    /// What was kept last under a name.
    ///
    /// - Throws: `.keptValueMismatch` if value and counter are not as ``keep(_:as:)`` leaves them: one of them was
    ///   put back, written by somebody else, or removed. `.tokenUnavailable`, `.overloaded`, `.deadlineExceeded`;
    ///   `.deviceFailure` for a value of another form.
    func keptValue(_ name: String) async throws(HSMError) -> KeptValue

    /// Keeps a value, of at most 400 bytes, instead of the one before, and raises the counter. Returns when the device has
    /// both; a process that dies in between leaves a state that ``keptValue(_:)`` takes for good.
    ///
    /// - Returns: What the counter stands at.
    /// - Throws: `.invalidArgument` for a longer value; as ``keptValue(_:)``.
    @discardableResult
    func keep(_ value: [UInt8], as name: String) async throws(HSMError) -> UInt64

    /// ``keep(_:as:)`` whatever is there, and although something is missing: for an operator who knows why.
    func keepAnew(_ value: [UInt8], as name: String) async throws(HSMError) -> UInt64
}

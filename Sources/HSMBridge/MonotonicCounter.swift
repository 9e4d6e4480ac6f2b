/// A number in a device that only ever grows, whatever happens to our disk.
///
/// Whoever writes the number of the last increment beside his data notices when an older copy of both is put back: the
/// device then shows a greater number than the copy. ``increment()`` first, store after: a crash between the two leaves
/// the device one ahead, which the reader must accept as the one increment under way, and no more.
public protocol MonotonicCounter: Sendable {
    /// Which counter of which device; stable, public.
    var counterIdentity: String { get }

    /// The number now.
    ///
    /// - Throws: `.keyMissing` if the counter is not there, besides what every call to the device throws.
    func read() async throws(HSMError) -> UInt64

    /// Adds one.
    ///
    /// - Returns: The number after it. Devices wear out: at most a few increments a second, and pauses are refused with
    ///   `.overloaded` when the device asks for them longer than a call may take.
    func increment() async throws(HSMError) -> UInt64
}

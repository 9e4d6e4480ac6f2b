/// What a device keeps under a name.
public struct KeptValue: Sendable, Hashable {
    /// Nil if nothing was kept yet.
    public var value: [UInt8]?
    /// What the counter stands at; 0 if nothing was ever counted.
    public var counter: UInt64

    /// Bytes of a value at most.
    public static let longest = 400

    public init(value: [UInt8]?, counter: UInt64) {
        self.value = value
        self.counter = counter
    }
}

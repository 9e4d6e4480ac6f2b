/// A reference to a secret, for caches and for passing between threads. The bytes are wiped with the last reference.
public final class SharedSecret: Sendable {
    @usableFromInline let bytes: SecretBytes

    public init(_ bytes: consuming SecretBytes) { self.bytes = bytes }

    /// Length in bytes.
    public var count: Int { bytes.count }

    /// Lends the owner. It cannot be consumed through the reference.
    @inlinable public func withSecret<R: ~Copyable, E: Error>(
        _ body: (borrowing SecretBytes) throws(E) -> R
    ) throws(E) -> R {
        try body(bytes)
    }

    /// Lends the bytes. The pointer dies with the closure and must not leave it.
    @inlinable public func withUnsafeBytes<R: ~Copyable, E: Error>(
        _ body: (UnsafeRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        try bytes.withUnsafeBytes(body)
    }
}

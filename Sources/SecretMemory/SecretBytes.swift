import Glibc

/// Owns a secret in memory that is locked, absent from core dumps and children, never copied implicitly, and wiped
/// when the value dies.
///
/// It has no description and does not interpolate; its bytes are lent to a closure. Use ``SharedSecret`` where a
/// reference is needed (caches, passing between threads).
///
/// - Concurrency: immutable after creation, so it may be read from any thread.
public struct SecretBytes: ~Copyable, @unchecked Sendable {
    // @unchecked: `base` is written only inside `make` and `joining`, before the value is given out, and by `deinit`, after the
    // last read.
    @usableFromInline let base: UnsafeMutableRawPointer
    /// Length in bytes; may be 0.
    public let count: Int

    private init(base: UnsafeMutableRawPointer, count: Int) {
        self.base = base
        self.count = count
    }

    /// Reserves `count` zero bytes and lets `fill` write them.
    ///
    /// - Throws: ``SecretMemoryError`` when memory cannot be locked, or what `fill` throws; nothing is left behind.
    public static func make(
        count: Int, _ fill: (UnsafeMutableRawBufferPointer) throws -> Void
    ) throws -> SecretBytes {
        precondition(count >= 0, "a secret cannot have a negative length")
        let secret = SecretBytes(base: try SecretArena.allocate(count), count: count)
        // From here a throw runs `deinit`, which wipes.
        try fill(UnsafeMutableRawBufferPointer(start: secret.base, count: count))
        return secret
    }

    /// Like ``make(count:_:)`` for a source that reports how much of `capacity` it really wrote.
    public static func make(
        capacity: Int, _ fill: (UnsafeMutableRawBufferPointer) throws -> Int
    ) throws -> SecretBytes {
        let scratch = SecretBytes(base: try SecretArena.allocate(capacity), count: capacity)
        let written = try fill(UnsafeMutableRawBufferPointer(start: scratch.base, count: capacity))
        precondition(written >= 0 && written <= capacity, "a fill function wrote outside its buffer")
        if written == capacity { return scratch }
        return try SecretBytes(copying: UnsafeRawBufferPointer(start: scratch.base, count: written))
    }

    /// Copies bytes that live elsewhere; the caller wipes the original.
    public init(copying bytes: UnsafeRawBufferPointer) throws(SecretMemoryError) {
        let base = try SecretArena.allocate(bytes.count)
        if let source = bytes.baseAddress, bytes.count > 0 { memcpy(base, source, bytes.count) }
        self.init(base: base, count: bytes.count)
    }

    /// Draws from the kernel's generator.
    public static func random(count: Int) throws(SecretMemoryError) -> SecretBytes {
        let secret = SecretBytes(base: try SecretArena.allocate(count), count: count)
        try KernelRandom.fill(UnsafeMutableRawBufferPointer(start: secret.base, count: count))
        return secret
    }

    /// One secret with public bytes before and behind it.
    public static func joining(
        _ before: [UInt8], _ secret: borrowing SecretBytes, _ after: [UInt8]
    ) throws(SecretMemoryError) -> SecretBytes {
        let count = before.count + secret.count + after.count
        let joined = SecretBytes(base: try SecretArena.allocate(count), count: count)
        let output = UnsafeMutableRawBufferPointer(start: joined.base, count: count)
        output.copyBytes(from: before)
        UnsafeMutableRawBufferPointer(rebasing: output[before.count...]).copyMemory(
            from: UnsafeRawBufferPointer(start: secret.base, count: secret.count))
        UnsafeMutableRawBufferPointer(rebasing: output[(before.count + secret.count)...]).copyBytes(from: after)
        return joined
    }

    deinit { SecretArena.release(base, count: count) }

    /// Lends the bytes. The pointer dies with the closure and must not leave it.
    @inlinable public borrowing func withUnsafeBytes<R: ~Copyable, E: Error>(
        _ body: (UnsafeRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        try body(UnsafeRawBufferPointer(start: base, count: count))
    }

    /// Makes a second owner, explicitly.
    public borrowing func copy() throws(SecretMemoryError) -> SecretBytes {
        try SecretBytes(copying: UnsafeRawBufferPointer(start: base, count: count))
    }

    /// Compares without branching on the contents; lengths are not secret.
    public borrowing func constantTimeEquals(_ other: borrowing SecretBytes) -> Bool {
        ConstantTime.equal(
            UnsafeRawBufferPointer(start: base, count: count),
            UnsafeRawBufferPointer(start: other.base, count: other.count))
    }
}

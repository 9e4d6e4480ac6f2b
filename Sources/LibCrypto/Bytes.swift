import SecretMemory

extension [UInt8] {
    /// Lends the bytes with a typed throw, which `withUnsafeBytes` of the standard library does not keep.
    @inline(__always)
    func lend<R: ~Copyable, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try span.withUnsafeBytes(body)
    }

    /// Makes `count` bytes that `fill` writes in full.
    @inline(__always)
    static func filled(
        _ count: Int, _ fill: (UnsafeMutableRawBufferPointer) throws(LibCryptoError) -> Void
    ) throws(LibCryptoError) -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: count) { buffer, initialised throws(LibCryptoError) in
            try fill(UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: count))
            initialised = count
        }
    }
}

extension SecretBytes {
    /// ``make(count:_:)`` with this target's error type.
    static func filled(
        _ count: Int, _ fill: (UnsafeMutableRawBufferPointer) throws(LibCryptoError) -> Void
    ) throws(LibCryptoError) -> SecretBytes {
        do {
            return try make(count: count) { buffer in try fill(buffer) }
        } catch let error as LibCryptoError {
            throw error
        } catch {
            throw LibCryptoError(.capacityExceeded, "\(error)")
        }
    }
}

extension UnsafeRawBufferPointer {
    /// The first byte; null for an empty buffer.
    @inline(__always)
    var bytes: UnsafePointer<UInt8>? { baseAddress?.assumingMemoryBound(to: UInt8.self) }
}

extension UnsafeMutableRawBufferPointer {
    /// The first byte; null for an empty buffer.
    @inline(__always)
    var bytes: UnsafeMutablePointer<UInt8>? { baseAddress?.assumingMemoryBound(to: UInt8.self) }
}

/// Overwrites scratch memory that held secrets.
@inline(__always)
func wipe(_ scratch: UnsafeMutableRawBufferPointer) {
    scratch.initializeMemory(as: UInt8.self, repeating: 0)
    observe(UnsafeRawPointer(scratch.baseAddress))
}

/// Keeps the stores above: not being optimised, this may read the memory for all the optimiser knows, so that the
/// zeros are not dead stores.
@inline(never) @_optimize(none)
func observe(_ address: UnsafeRawPointer?) {}

import Glibc
import Synchronization

/// Hands out slots of locked memory in power-of-two sizes.
///
/// One page per secret would exhaust the usual 8 MiB memory-lock limit after 2,048 secrets; slots let one process hold
/// a hundred thousand. A slot is wiped before it returns to its free list, and chunks are never unmapped, so a slot's
/// address is always locked memory. Larger requests get a mapping of their own.
///
/// - Concurrency: any thread; one short critical section per call.
enum SecretArena {
    static let smallestSlot = 64
    static let largestSlot = 4096
    private static let chunkSize = 64 * 1024

    private struct State {
        /// Free slots by size class, as addresses so that the state is `Sendable`.
        var free: [[UInt]] = Array(repeating: [], count: 7)
    }

    private static let state = Mutex(State())

    /// The number of bytes that will really be reserved for `count` bytes.
    static func reserved(for count: Int) -> Int {
        if count > largestSlot {
            let page = Int(sysconf(Int32(_SC_PAGESIZE)))
            return (count + page - 1) / page * page
        }
        var size = smallestSlot
        while size < count { size *= 2 }
        return size
    }

    /// Bytes that a process takes which holds one secret of each size.
    static var floor: Int { chunkSize * 7 }

    static func allocate(_ count: Int) throws(SecretMemoryError) -> UnsafeMutableRawPointer {
        let size = reserved(for: count)
        if size > largestSlot { return try map(size) }
        let index = sizeClass(size)
        if let address = state.withLock({ $0.free[index].popLast() }) {
            return pointer(address)
        }
        let chunk = try map(chunkSize)
        let first = UInt(bitPattern: chunk)
        state.withLock { state in
            for offset in stride(from: size, to: chunkSize, by: size) {
                state.free[index].append(first + UInt(offset))
            }
        }
        return chunk
    }

    static func release(_ base: UnsafeMutableRawPointer, count: Int) {
        let size = reserved(for: count)
        explicit_bzero(base, size)
        if size > largestSlot {
            munlock(base, size)
            munmap(base, size)
        } else {
            state.withLock { $0.free[sizeClass(size)].append(UInt(bitPattern: base)) }
        }
    }

    private static func sizeClass(_ size: Int) -> Int { (size / smallestSlot).trailingZeroBitCount }

    private static func pointer(_ address: UInt) -> UnsafeMutableRawPointer {
        guard let pointer = UnsafeMutableRawPointer(bitPattern: address) else {
            preconditionFailure("the free list holds only addresses of mapped chunks")
        }
        return pointer
    }

    private static func map(_ size: Int) throws(SecretMemoryError) -> UnsafeMutableRawPointer {
        guard let base = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            base != MAP_FAILED
        else { throw SecretMemoryError.locking("mmap", errno) }
        guard mlock(base, size) == 0 else {
            let reason = errno
            munmap(base, size)
            throw SecretMemoryError.locking("mlock", reason)
        }
        // Absent from core dumps and from children (madvise(2): MADV_DONTDUMP 16, MADV_WIPEONFORK 18).
        madvise(base, size, 16)
        madvise(base, size, 18)
        return base
    }
}

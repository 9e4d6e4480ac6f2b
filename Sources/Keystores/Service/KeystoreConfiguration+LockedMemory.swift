import Glibc
import LibCrypto
import SecretMemory

extension KeystoreConfiguration {
    /// Sets locked memory aside for the private numbers of as many keys as the cache may hold, once for the process.
    ///
    /// Without it the first key decides, and the cache gives keys up long before it is full. Never less than
    /// `LibCrypto.defaultSecureHeap` and, above that, never more than half of what may be locked (RLIMIT_MEMLOCK), since
    /// symmetric keys and Ed25519 keys are locked elsewhere.
    ///
    /// Beside it there must be room for some secrets of each size, so that a limit that is too low is told here and not
    /// by whichever secret comes too late.
    ///
    /// - Throws: ``KMSError`` `.internal` whose detail names the limit, if the memory cannot be locked.
    public func prepareLockedMemory() throws {
        do throws(LibCryptoError) {
            try LibCrypto.prepare(secureHeap: Self.secureHeap(keys: keyCacheSize, lockable: Self.lockable))
        } catch {
            throw KMSError(.internal, "Locked memory is not available.", detail: error.message, underlying: error)
        }
        do throws(SecretMemoryError) { try ProcessHardening.proveLockedMemory() } catch {
            throw KMSError(
                .internal, "Locked memory is not available.", detail: "\(error) \(Self.least)", underlying: error)
        }
    }

    private static var least: String {
        "At least \((LibCrypto.defaultSecureHeap + ProcessHardening.leastLockedMemory) >> 10) KiB are needed."
    }

    /// Bytes of the heap: a power of two.
    ///
    /// - Parameters:
    ///   - keys: Most keys held at once; each takes at most 128 bytes (P-521).
    ///   - lockable: Bytes the process may lock.
    static func secureHeap(keys: Int, lockable: Int) -> Int {
        let wanted = (keys + keys / 7 + 1) * 128  // An eighth stays free for numbers derived from the keys.
        var size = LibCrypto.defaultSecureHeap
        while size < wanted, size <= lockable / 4 { size *= 2 }
        return size
    }

    private static var lockable: Int {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(__RLIMIT_MEMLOCK.rawValue), &limit)
        return Int(clamping: limit.rlim_cur)
    }
}

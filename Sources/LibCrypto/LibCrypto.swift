internal import CLibCrypto
import Glibc
import SecretMemory
import Synchronization

/// Process-wide preparation of both libraries.
public enum LibCrypto {
    /// Bytes of locked memory set aside for the private numbers of OpenSSL keys unless told otherwise: a held key takes
    /// 32 (P-256) to 128 (P-521) of them. Ed25519 keys live in `SecretBytes` instead.
    public static let defaultSecureHeap = 1 << 20

    private static let requestedHeap = Atomic<Int>(defaultSecureHeap)

    /// Readies libsodium and OpenSSL's secure heap, once; private keys and the numbers derived from them then live in
    /// locked memory that is absent from core dumps.
    ///
    /// Key types call it themselves. A daemon calls it at start, so that a missing memory-lock limit is told then.
    ///
    /// - Parameter secureHeap: Bytes, a power of two. Only the first call decides; later values are ignored.
    /// - Throws: `.internalFailure` when the heap cannot be made or cannot be locked; there is no unlocked fallback.
    /// - Concurrency: any thread; later calls cost one load.
    /// - Source: OPENSSL_secure_malloc(3).
    public static func prepare(secureHeap: Int = defaultSecureHeap) throws(LibCryptoError) {
        if secureHeap != defaultSecureHeap { requestedHeap.store(secureHeap, ordering: .relaxed) }
        try prepared.get()
    }

    /// Bytes of the secure heap in use.
    public static var secureHeapUsed: Int { CRYPTO_secure_used() }

    private static let prepared: Result<Void, LibCryptoError> = {
        do throws(LibCryptoError) {
            try Sodium.initialise()
            try makeSecureHeap(requestedHeap.load(ordering: .relaxed))
            return .success(())
        } catch {
            return .failure(error)
        }
    }()

    /// Refuses a new key while the heap is nearly full: operations with keys already held need room for nonces.
    static func admitKey() throws(LibCryptoError) {
        try prepare()
        let heap = requestedHeap.load(ordering: .relaxed)
        guard secureHeapUsed < heap - heap / 8 else {
            throw LibCryptoError(
                .capacityExceeded, "Could not hold another private key: \(heap) bytes of locked memory are used up.")
        }
    }

    private static func makeSecureHeap(_ size: Int) throws(LibCryptoError) {
        guard size >= 1 << 16, size.nonzeroBitCount == 1 else {
            throw LibCryptoError(.invalidInput, "The secure heap must be a power of two of at least 65536 bytes.")
        }
        // 1 is full success; 2 means that the memory is not locked or its guard pages failed.
        guard CRYPTO_secure_malloc_initialized() == 1 || CRYPTO_secure_malloc_init(size, 32) == 1 else {
            _ = SecretMemoryError.locking("CRYPTO_secure_malloc_init", ENOMEM)
            throw LibCryptoError(
                .internalFailure, "Could not lock \(size) bytes for private keys: \(SecretMemoryError.remedy).")
        }
        let trial = CRYPTO_secure_malloc(32, "LibCrypto", 0)
        defer { CRYPTO_secure_free(trial, "LibCrypto", 0) }
        guard trial != nil, CRYPTO_secure_allocated(trial) == 1 else {
            throw LibCryptoError(.internalFailure, "OpenSSL's secure heap does not hand out memory.")
        }
    }
}

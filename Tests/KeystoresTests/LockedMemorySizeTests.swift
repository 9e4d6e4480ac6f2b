import LibCrypto
import Testing

@testable import Keystores

@Suite("Locked memory for keys", .timeLimit(.minutes(10))) struct LockedMemorySizeTests {
    /// In MiB; nil: no limit.
    private static let cases: [(keys: Int, lockable: Int?, expected: Int)] = [
        (0, nil, 1), (20_000, nil, 4), (20_000, 8, 4), (20_000, 4, 2), (20_000, 0, 1), (1_000_000, nil, 256),
        (1_000_000, 256, 128),
    ]

    @Test(arguments: cases)
    func theHeapHoldsTheCachesKeysWithinHalfOfWhatMayBeLocked(keys: Int, lockable: Int?, expected: Int) {
        let limit = lockable.map { $0 << 20 } ?? Int.max
        #expect(KeystoreConfiguration.secureHeap(keys: keys, lockable: limit) == expected << 20)
    }
}

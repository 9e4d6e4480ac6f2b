import LibCrypto
import Testing

@Suite(.timeLimit(.minutes(10))) struct PreparationTests {
    @Test func preparingTwiceIsHarmless() throws {
        try LibCrypto.prepare()
        try LibCrypto.prepare(secureHeap: 1 << 22)
        #expect(LibCrypto.secureHeapUsed >= 0)
    }

    @Test func aHeapThatIsNoPowerOfTwoIsRefused() async {
        await #expect(processExitsWith: .success) {
            do {
                try LibCrypto.prepare(secureHeap: 100_000)
                preconditionFailure("the heap was accepted")
            } catch let error as LibCryptoError {
                precondition(error.code == .invalidInput, "\(error)")
            }
        }
    }
}

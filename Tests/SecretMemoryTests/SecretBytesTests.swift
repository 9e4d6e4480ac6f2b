import CProcess
import Glibc
import SecretMemory
import Testing

@Suite(.timeLimit(.minutes(10))) struct SecretBytesTests {
    private struct Refused: Error {}

    @Test func randomSecretsDifferAndCompareInConstantTime() throws {
        let first = try SecretBytes.random(count: 32)
        let second = try SecretBytes.random(count: 32)
        let copy = try first.copy()
        // A value that cannot be copied cannot be captured by `#expect`.
        let same = first.constantTimeEquals(copy)
        let different = first.constantTimeEquals(second)
        #expect(same)
        #expect(!different)
    }

    @Test(arguments: [0, 1, 63, 64, 65, 4096, 4097, 100_000])
    func everyLengthKeepsItsBytes(count: Int) throws {
        let secret = try SecretBytes.make(count: count) { buffer in
            for index in 0..<buffer.count { buffer[index] = UInt8(truncatingIfNeeded: index &* 7 &+ 1) }
        }
        #expect(secret.count == count)
        let intact = secret.withUnsafeBytes { bytes in
            (0..<bytes.count).allSatisfy { bytes[$0] == UInt8(truncatingIfNeeded: $0 &* 7 &+ 1) }
        }
        #expect(intact)
    }

    @Test func shorterFillGivesShorterSecret() throws {
        let secret = try SecretBytes.make(capacity: 128) { buffer in
            buffer[0] = 0xAB
            return 1
        }
        #expect(secret.count == 1)
        #expect(secret.withUnsafeBytes { $0[0] } == 0xAB)
    }

    @Test func aFailedFillLeavesNoSlotBehind() throws {
        #expect(throws: Refused.self) {
            _ = try SecretBytes.make(count: 32) { _ in throw Refused() }
        }
    }

    /// The slot of a dead secret is handed out again, and it is zero by then.
    @Test func slotsAreWipedBeforeReuse() throws {
        for _ in 0..<2_000 {
            let secret = try SecretBytes.make(count: 2_000) { buffer in
                for byte in buffer where byte != 0 { throw Refused() }
                for index in buffer.indices { buffer[index] = 0x5A }
            }
            _ = secret.count
        }
    }

    @Test func memoryIsLocked() throws {
        func lockedKilobytes() throws -> Int {
            var text = [UInt8](repeating: 0, count: 65_536)
            let file = open("/proc/self/status", O_RDONLY)
            defer { close(file) }
            let length = read(file, &text, text.count)
            let line = String(decoding: text.prefix(max(0, length)), as: UTF8.self)
                .split(separator: "\n").first { $0.hasPrefix("VmLck:") }
            return line.flatMap { Int($0.split(whereSeparator: { " \t".contains($0) })[1]) } ?? 0
        }
        let before = try lockedKilobytes()
        let big = try SecretBytes.random(count: 1_000_000)
        let after = try lockedKilobytes()
        #expect(big.count == 1_000_000)
        #expect(after - before >= 900)
    }

    @Test func aHundredThousandSecretsFit() async throws {
        var kept: [SharedSecret] = []
        for _ in 0..<100_000 { kept.append(SharedSecret(try SecretBytes.random(count: 32))) }
        #expect(kept.count == 100_000)
        #expect(kept.allSatisfy { $0.count == 32 })
    }

    @Test func hardeningForbidsDumps() async {
        await #expect(processExitsWith: .success) {
            try ProcessHardening.apply()
            guard kms_get_dumpable() == 0 else { exit(2) }
        }
    }
}

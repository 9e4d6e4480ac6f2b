import Decryption
import EnclaveLock
import Storage
import Synchronization
import TFHE
import TestSupport

@testable import DecryptionStore

/// A store in a folder of its own, with a clock that tests turn and writes that they fail.
final class StoreFixture: Sendable {
    private struct State {
        var now: Int64 = 1_000_000
        var failures = 0
    }

    struct Full: Error {}

    private let folder: TemporaryFolder
    private let state: SharedState
    let path: String
    let store: DecryptionStore

    private final class SharedState: Sendable { let value = Mutex(State()) }

    init(mostAnswers: Int = 100) throws {
        folder = try TemporaryFolder()
        path = folder.path + "/decryption.sqlite"
        let state = SharedState()
        self.state = state
        store = try Self.open(path, mostAnswers, state)
    }

    /// The file again, as another process would find it.
    func opened(mostAnswers: Int = 100) throws -> DecryptionStore { try Self.open(path, mostAnswers, state) }

    private static func open(_ path: String, _ mostAnswers: Int, _ state: SharedState) throws -> DecryptionStore {
        try DecryptionStore(
            path: path, mostAnswers: mostAnswers, clock: { state.value.withLock { $0.now } },
            faults: WriteFaults { point in
                guard point == .beforeCommit else { return }
                try state.value.withLock { state in
                    guard state.failures > 0 else { return }
                    state.failures -= 1
                    throw Full()
                }
            })
    }

    func advance(_ seconds: Int64) { state.value.withLock { $0.now += seconds } }

    func failNextCommit() { state.value.withLock { $0.failures += 1 } }

    static func id(_ number: Int) -> [UInt8] {
        [UInt8](repeating: 0, count: 24) + withUnsafeBytes(of: UInt64(number).bigEndian) { Array($0) }
    }

    static func answer(_ number: UInt8, account: [UInt8] = []) -> KeptAnswer {
        KeptAnswer(
            digest: [UInt8](repeating: number, count: 32), result: [number, 0, 255],
            signature: [UInt8](repeating: 9, count: 64), algorithm: "ES256K", signer: "ab", account: account,
            keyID: "key", handle: [UInt8](repeating: 2, count: 32), fheType: 2, chainID: "chain-1", height: 5,
            headerHash: [UInt8](repeating: 3, count: 32), appHash: [4, 4], noiseMargin: 7,
            policy: [UInt8](repeating: 6, count: 32))
    }

    static func key(_ id: String) throws -> DecryptionKeyRecord {
        DecryptionKeyRecord(
            id: id, parameters: try KeyParameters(messageModulus: 4, carryModulus: 4, order: .big, length: 2048),
            state: .enabled, fingerprint: [UInt8](repeating: 1, count: 32), lockKind: .token, lockIdentity: "lock",
            sealedLockKey: [1], envelope: [2], createdAt: 1)
    }
}

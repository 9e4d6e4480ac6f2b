import EnclaveLock
import Foundation
import GRDB
import SecretMemory
import Synchronization

@testable import Keystores

/// A service over a real database file and a lock in memory, with a clock that tests can turn.
final class Fixture: Sendable {
    let folder: Folder
    let lock: InMemoryLock
    let store: SQLiteKeystoreStore
    let service: KeystoreService
    let configuration: KeystoreConfiguration
    private let turned: Turned

    private final class Turned: Sendable { let seconds = Mutex<TimeInterval>(0) }

    let locks: KeystoreLocks

    /// - Parameter standard: What new keystores are locked with, if not ``lock``.
    init(
        configuration: KeystoreConfiguration = KeystoreConfiguration(), standard: (any SecretLock)? = nil
    ) throws {
        folder = try Folder()
        lock = try InMemoryLock()
        locks = KeystoreLocks(server: lock, standard: standard)
        store = try SQLiteKeystoreStore(path: folder.database)
        self.configuration = configuration
        let turned = Turned()
        service = KeystoreService(
            store: store, locks: locks, resident: nil, configuration: configuration,
            clock: { Date().addingTimeInterval(turned.seconds.withLock { $0 }) })
        self.turned = turned
    }

    func advance(seconds: TimeInterval) { turned.seconds.withLock { $0 += seconds } }

    /// A service with empty caches over the same store, as after a restart.
    func restarted() -> KeystoreService {
        KeystoreService(store: store, locks: locks, resident: nil, configuration: configuration)
    }

    func keystore(_ controller: String = "did:key:alice") async throws -> String {
        try await service.createKeystore(controller: controller, protection: .sealed).id
    }

    /// Another program that edits the file: no foreign keys, no checks.
    func attacker() throws -> DatabaseQueue {
        var configuration = GRDB.Configuration()
        configuration.foreignKeysEnabled = false
        configuration.busyMode = .timeout(5)
        return try DatabaseQueue(path: folder.database, configuration: configuration)
    }
}

/// Inputs that many tests share.
enum Samples {
    static let message = Array("a message".utf8)

    /// PKCS#8 of an Ed25519 seed (RFC 8410).
    static func ed25519(seed: [UInt8] = [UInt8](repeating: 9, count: 32)) throws -> SharedSecret {
        let header: [UInt8] = [
            0x30, 0x2E, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
        ]
        return SharedSecret(try SecretBytes.make(count: 48) { $0.copyBytes(from: header + seed) })
    }
}

/// The code a call fails with; nil if it does not fail, `.internal` renamed for anything but ``KMSError``.
func code(of body: () async throws -> Void) async -> KMSError.Code? {
    do {
        try await body()
        return nil
    } catch let error as KMSError {
        return error.code
    } catch {
        return KMSError.Code(rawValue: "not a KMSError: \(error)")
    }
}

import EnclaveLock
import SecretMemory
import Synchronization
import Token

/// Sealed secrets in memory, three on a page.
final class MemoryStore: TokenSealedStore {
    let kind: String
    private let rows: Mutex<[(name: String, sealed: [UInt8])]>

    init(kind: String = "things") {
        self.kind = kind
        rows = Mutex([])
    }

    static func context(_ name: String) -> [UInt8] { Array("record \(name)".utf8) }

    /// Seals a new secret.
    func add(_ name: String, by token: some Sealing) async throws {
        let secret = SharedSecret(try SecretBytes.random(count: 32))
        let sealed = try await token.seal(secret, under: .rootLock, context: Self.context(name))
        rows.withLock { rows in
            rows.removeAll { $0.name == name }
            rows.append((name, sealed))
            rows.sort { $0.name < $1.name }
        }
    }

    subscript(name: String) -> [UInt8]? { rows.withLock { rows in rows.first { $0.name == name }?.sealed } }

    func page(after: String?) async throws -> (secrets: [TokenSealedSecret], end: String?) {
        let page = rows.withLock { rows in rows.filter { $0.name > after ?? "" }.prefix(3) }
        return (
            page.map {
                TokenSealedSecret(
                    name: $0.name, role: .rootLock, sealed: $0.sealed, context: Self.context($0.name))
            }, page.last?.name
        )
    }

    func put(_ form: [UInt8], insteadOf secret: TokenSealedSecret) async throws -> Bool {
        rows.withLock { rows in
            guard let place = rows.firstIndex(where: { $0.name == secret.name && $0.sealed == secret.sealed }) else {
                return false
            }
            rows[place].sealed = form
            return true
        }
    }
}

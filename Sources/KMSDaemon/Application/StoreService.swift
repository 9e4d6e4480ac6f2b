import Keystores
import Logging
import ServiceLifecycle

/// Closes the database after everything else has ended.
struct StoreService: Service {
    let store: SQLiteKeystoreStore
    let logger: Logger

    func run() async throws {
        await untilShutdown()
        do {
            try store.close()
        } catch {
            logger.error("the database did not close", metadata: ["error": "\(error)"])
        }
    }
}

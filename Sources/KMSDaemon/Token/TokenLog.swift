import HSMBridge
package import Logging
import Token

/// Informs the operator when the token comes, goes or must be looked at.
package struct TokenLog: CallObserver {
    let logger: Logger

    package init(logger: Logger) { self.logger = logger }

    func healthDidChange(to health: TokenHealth) {
        switch health {
        case .starting: logger.debug("token is being connected")
        case .ready(let token):
            logger.info("token ready", metadata: ["label": "\(token.label)", "serial": "\(token.serial)"])
        case .unavailable(let error):
            logger.warning("token unavailable; it is tried again", metadata: ["error": "\(error)"])
        case .refused(let error): logger.error("token refused", metadata: ["error": "\(error)"])
        }
    }
}

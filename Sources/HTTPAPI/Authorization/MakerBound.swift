import Keystores
import SplitKeys

/// Bounds how many keystores and DID keys callers make, in a minute and keystores altogether: by their address if the request
/// proves nothing of who asks, and by who it is, more generously, if it does. A client certificate is the operator's and has no bound.
///
/// - Concurrency: any number of requests at once.
package final class MakerBound: Sendable {
    /// Somebody who is known gets this many times as many.
    private static let trust = 10

    private let addresses: RateLimiter<String>
    private let actors: RateLimiter<String>
    private let keystores: Int

    /// - Parameters:
    ///   - perMinute: Of an address; 0 for no bound. So many may be made at once, too.
    ///   - keystores: Most keystores that an address ever makes; 0 for no bound.
    package init(perMinute: Int, keystores: Int = 0) {
        self.keystores = keystores
        func limiter(_ count: Int) -> RateLimiter<String> {
            RateLimiter(size: Double(count), perSecond: Double(count) / 60, capacity: 10_000)
        }
        addresses = limiter(perMinute)
        actors = limiter(perMinute * Self.trust)
    }

    /// - Returns: Whose a keystore counts as that is made now; nil for nobody's.
    /// - Throws: ``RequestError`` with 429.
    @discardableResult
    func admit(actor: String, address: String) throws -> KeystoreMaker? {
        // No connection: a test that calls the responder.
        if actor == "certificate" || (actor == "-" && address == "-") { return nil }
        let isAdmitted = actor == "-" ? addresses.admit(address) : actors.admit(actor)
        guard isAdmitted else {
            throw RequestError(
                status: 429,
                message: actor == "-"
                    ? "this address made as many keystores and DID keys as it may in a minute; wait"
                    : "this caller made as many keystores and DID keys as it may in a minute; wait")
        }
        guard keystores > 0 else { return nil }
        return actor == "-"
            ? KeystoreMaker(name: "address:" + address, limit: keystores)
            : KeystoreMaker(name: "caller:" + actor, limit: keystores * Self.trust)
    }
}

/// Sends requests to other servers. Every request of the daemon to an address that configuration or a caller names goes
/// through one of these, so that one guard decides which addresses may be called.
///
/// - Concurrency: any number of calls at once; nothing blocks the caller's thread.
public protocol OutboundSending: Sendable {
    /// Sends one request and reads the whole answer. Redirects are not followed: they are answers.
    func send(_ request: OutboundRequest) async throws(OutboundError) -> OutboundAnswer
}

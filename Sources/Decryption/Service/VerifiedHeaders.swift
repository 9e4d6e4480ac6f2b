public import LightClient

/// Where the domain gets headers that are verified already.
public protocol VerifiedHeaders: Sendable {
    var chainID: String { get }
    /// The header of a height, and the latest height that is trusted.
    ///
    /// - Throws: `.height`, `.expired`, `.stale`, `.conflict`, `.fork`, `.clock`, `.unavailable`.
    func header(at height: Int64) async throws(LightClientError) -> (header: VerifiedHeader, latest: Int64)
    /// The latest header, without asking anybody; or why there is none.
    func latest() async -> Result<VerifiedHeader, LightClientError>
}

extension DecryptionError {
    init(_ error: LightClientError) {
        switch error.code {
        case .height: self.init(.precondition, "height", error.message)
        case .expired: self.init(.precondition, "trust-expired", error.message)
        case .clock: self.init(.precondition, "clock", error.message)
        case .conflict, .fork:
            self.init(.precondition, "chain-conflict", "the light client has stopped: \(error.message)")
        default: self.init(.unavailable, "light-client", "no verified header: \(error.message)")
        }
    }
}

public import LightClient
public import OutboundHTTP

/// A node's or a light proxy's RPC over HTTP, by its URI form. Nothing that it says is believed here.
public struct ChainNode: HeaderSource {
    /// Its URL, which must hold no credentials.
    public let name: String
    private let base: String
    private let sender: any OutboundSending

    /// - Parameter url: Without a slash at its end.
    public init(url: String, sender: any OutboundSending) {
        name = url
        base = url
        self.sender = sender
    }

    public func latestHeight() async throws -> Int64 { try await status().latestHeight }

    public func status() async throws -> NodeReply.Status { try NodeReply.status(await ask("/status")) }

    public func signedHeader(at height: Int64) async throws -> SignedHeader {
        try NodeReply.commit(await ask("/commit?height=\(height)"))
    }

    public func validators(at height: Int64) async throws -> ValidatorSet {
        var pages = ValidatorPages(height: height)
        while let page = pages.nextPage {
            try pages.add(
                NodeReply.validators(
                    await ask("/validators?height=\(height)&page=\(page)&per_page=\(ChainLimits.pageLength)")))
        }
        return try pages.set()
    }

    /// A node gives its errors with another status and a JSON body; the body says it better.
    private func ask(_ path: String) async throws(LightClientError) -> [UInt8] {
        do throws(OutboundError) {
            return try await sender.send(
                OutboundRequest(
                    method: "GET", url: base + path, headers: [(name: "accept", value: "application/json")])
            ).body
        } catch {
            throw LightClientError(.unavailable, "the node did not answer: \(error.code.rawValue)")
        }
    }
}

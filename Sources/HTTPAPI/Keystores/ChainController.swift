import Encodings
import Hummingbird
package import LightClient

/// The chain that the decryption API follows, as operators see it.
package struct FollowedChain: Sendable {
    let chainID: String
    let conflict: @Sendable () async -> ChainConflict?
    let resolve: @Sendable ([UInt8]) async throws(LightClientError) -> ChainConflict

    /// - Parameters:
    ///   - conflict: Why nothing is served; nil if there is none.
    ///   - resolve: Ends it, keeping the header of a hash; gives the conflict that was.
    package init(
        chainID: String, conflict: @escaping @Sendable () async -> ChainConflict?,
        resolve: @escaping @Sendable ([UInt8]) async throws(LightClientError) -> ChainConflict
    ) {
        self.chainID = chainID
        self.conflict = conflict
        self.resolve = resolve
    }
}

/// The route that ends a conflict of the light client: `POST /v1/decryption/chain/resolve`.
struct ChainController: Sendable {
    /// Nil: no chain is followed, and the route is not there.
    var followed: FollowedChain?

    func resolve(_ call: inout RouteCall) async throws -> Response {
        guard let followed else {
            throw RequestError(status: 404, message: "this daemon follows no chain: decryption-host is not set")
        }
        let text = try await call.body(ChainRulingBody.self) { body throws(JSONError) in try body.text(.header) }
        guard let kept = Hexadecimal.decode(text, .either), kept.count == 32 else {
            throw RequestError.badRequest("'header' must be the hash of the right header: 64 hexadecimal digits")
        }
        guard await followed.conflict() != nil else {
            throw RequestError(status: 409, message: "the light client has met no conflict")
        }
        let conflict: ChainConflict
        let givenUp: [UInt8]
        do throws(LightClientError) {
            conflict = try await followed.resolve(kept)
            givenUp = try conflict.givenUp(keeping: kept)
        } catch {
            throw error.code == .unavailable
                ? RequestError(status: 503, message: error.message) : RequestError(status: 409, message: error.message)
        }
        call.made = followed.chainID
        call.details = [
            "height": "\(conflict.height)", "kept": Hexadecimal.encode(kept), "given-up": Hexadecimal.encode(givenUp),
            "shown-by": kept == conflict.followed ? conflict.source : "followed node",
        ]
        return Responses.object { writer in
            writer.member("chain_id", followed.chainID)
            writer.member("height", "\(conflict.height)")
            writer.member("kept", Hexadecimal.encode(kept))
            writer.member("given_up", Hexadecimal.encode(givenUp))
        }
    }
}

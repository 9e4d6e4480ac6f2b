/// Where headers come from: a node, through whatever transport. Nothing that it says is believed.
///
/// An answer should be read with ``NodeReply``. It may throw what it likes and take as long as it likes; the client stops
/// waiting after its time-out and cancels the call.
public protocol HeaderSource: Sendable {
    /// For messages and alarms; without credentials.
    var name: String { get }
    /// The height of the node's latest block.
    func latestHeight() async throws -> Int64
    /// The header of a height and its commit.
    func signedHeader(at height: Int64) async throws -> SignedHeader
    /// The whole validator set of a height, which may be the latest one + 1.
    func validators(at height: Int64) async throws -> ValidatorSet
}

/// A source with a time-out on every call and one kind of error.
struct AskedSource: Sendable {
    let source: any HeaderSource
    let timeout: Duration

    var name: String { source.name }

    func latestHeight() async throws(LightClientError) -> Int64 {
        let height = try await ask("its latest height") { try await $0.latestHeight() }
        guard height >= 1 else { throw .invalid("\(name) says that its latest height is below 1") }
        return height
    }

    func signedHeader(at height: Int64) async throws(LightClientError) -> SignedHeader {
        let block = try await ask("the header of height \(height)") { try await $0.signedHeader(at: height) }
        guard block.header.height == height else {
            throw .invalid("\(name) answered with another header than that of height \(height)")
        }
        return block
    }

    func validators(at height: Int64) async throws(LightClientError) -> ValidatorSet {
        try await ask("the validators of height \(height)") { try await $0.validators(at: height) }
    }

    /// Drives a bisection to its end.
    ///
    /// - Parameter patience: For the whole of it.
    func follow(
        _ bisection: Bisection, within patience: Duration, now: @escaping @Sendable () -> ChainTime
    ) async throws(LightClientError) -> TrustedState {
        try await Deadline.run(patience, late: "\(name) did not lead to height \(bisection.target) in time") {
            do throws(LightClientError) { return .success(try await follow(bisection, now: now)) } catch {
                return .failure(error)
            }
        }
    }

    private func follow(
        _ bisection: Bisection, now: @Sendable () -> ChainTime
    ) async throws(LightClientError) -> TrustedState {
        var bisection = bisection
        while true {
            switch bisection.request {
            case .done: return bisection.trusted
            case .block(let height):
                let block = try await signedHeader(at: height)
                try bisection.take(block, validators: try await validators(at: height), now: now())
            case .validators(let height):
                try bisection.take(validators: try await validators(at: height), now: now())
            }
        }
    }

    /// Drives a walk back to its end.
    ///
    /// - Parameter patience: For the whole of it.
    /// - Returns: Every header on the way, the target last.
    func follow(
        _ walk: BackwardWalk, within patience: Duration
    ) async throws(LightClientError) -> [VerifiedHeader] {
        try await Deadline.run(patience, late: "\(name) did not lead back to height \(walk.target) in time") {
            var (walk, passed) = (walk, [VerifiedHeader]())
            do throws(LightClientError) {
                while let wanted = walk.request {
                    try walk.take(try await signedHeader(at: wanted).header)
                    passed.append(walk.reached)
                }
                return .success(passed)
            } catch { return .failure(error) }
        }
    }

    private func ask<Value: Sendable>(
        _ what: String, _ call: @escaping @Sendable (any HeaderSource) async throws -> Value
    ) async throws(LightClientError) -> Value {
        let source = source
        return try await Deadline.run(timeout, late: "\(name) did not give \(what) in time") {
            do { return .success(try await call(source)) } catch let error as LightClientError {
                return .failure(LightClientError(error.code, "\(source.name): \(error.message)"))
            } catch {
                // A transport's error may quote what came; only that it failed is told on.
                return .failure(LightClientError(.unavailable, "\(source.name) did not give \(what)"))
            }
        }
    }
}

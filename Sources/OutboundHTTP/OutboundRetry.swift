/// Asks another server again when what failed is likely to pass: it throttles, has trouble of its own, or the connection
/// broke. Only for calls that may be made twice.
///
/// Tries are few, their distance grows and is random in part, so that many callers do not come back together, and all of
/// them end within one time.
public struct OutboundRetry: Sendable {
    /// Tries of one call.
    public static let mostTries = 3
    private static let firstPause = Duration.milliseconds(200)

    private let sender: any OutboundSending
    private let deadline: ContinuousClock.Instant
    private let triesSilence: Bool

    /// - Parameters:
    ///   - deadline: Of all tries together.
    ///   - triesSilence: Whether a server that says nothing is asked again, after half of the time that is left; if not,
    ///     a slow one has all of it.
    public init(_ sender: any OutboundSending, until deadline: ContinuousClock.Instant, triesSilence: Bool = true) {
        self.sender = sender
        self.deadline = deadline
        self.triesSilence = triesSilence
    }

    /// Sends a request until it is answered by something that does not pass, or no try is left.
    ///
    /// - Parameters:
    ///   - isPassing: Whether an answer is worth another try.
    ///   - make: Gives the request of each try, so that its time and signature are fresh.
    /// - Returns: The last answer, which may be a passing one.
    /// - Throws: What the last try, or `make`, threw.
    public func send(
        isPassing: (OutboundAnswer) -> Bool = { $0.isPassing }, _ make: () async throws -> OutboundRequest
    ) async throws -> OutboundAnswer {
        var pause = Self.firstPause
        for tries in 1... {
            let request = try await make()
            let isLast = tries == Self.mostTries
            var asked: Duration?
            do throws(OutboundError) {
                let answer = try await attempt(request, isLast: isLast)
                guard !isLast, isPassing(answer) else { return answer }
                asked = answer.retryAfter
                guard canWait(asked ?? pause) else { return answer }
            } catch {
                guard !isLast, error.isPassing, canWait(pause) else { throw error }
            }
            try await Task.sleep(for: max(asked ?? .zero, pause * Double.random(in: 0.5...1)))
            pause *= 2
        }
        preconditionFailure("the last try returned or threw")
    }

    private func canWait(_ pause: Duration) -> Bool { ContinuousClock.now + pause < deadline }

    private func attempt(
        _ request: OutboundRequest, isLast: Bool
    ) async throws(OutboundError) -> OutboundAnswer {
        let left = deadline - ContinuousClock.now
        let limit = isLast || !triesSilence ? left : left / 2
        return try await withTaskGroup(of: Result<OutboundAnswer, OutboundError>.self) { [sender] group in
            group.addTask {
                do throws(OutboundError) { return .success(try await sender.send(request)) } catch {
                    return .failure(error)
                }
            }
            group.addTask {
                try? await Task.sleep(for: limit)
                return .failure(OutboundError(.unreachable, "the server did not answer in time"))
            }
            defer { group.cancelAll() }
            return await group.next() ?? .failure(OutboundError(.unreachable, "the call was cancelled"))
        }.get()
    }
}

extension OutboundError {
    /// Whether the same call may succeed in a moment.
    public var isPassing: Bool { code == .unreachable }
}

extension OutboundAnswer {
    /// Whether the same call may succeed in a moment: the server throttles or has trouble of its own.
    public var isPassing: Bool { [408, 425, 429].contains(status) || (500...599).contains(status) && status != 501 }

    /// The seconds of a `Retry-After` field; nil for none, for a date, and for more than a caller would wait.
    var retryAfter: Duration? {
        header("Retry-After").flatMap { Int($0) }.flatMap { (0...3600).contains($0) ? .seconds($0) : nil }
    }
}

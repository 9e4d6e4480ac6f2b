/// A condition that a test waited for did not come true in time.
public struct NeverHappened: Error, CustomStringConvertible {
    public var description: String
}

/// Waits for a condition, looking every few milliseconds, and throws if it does not hold within the limit.
///
/// The limit only ends a test that would otherwise hang; it is no measure of speed. Assert on counted events, not on how
/// long something took: a busy machine takes as long as it likes.
public func eventually(
    _ what: String, within limit: Duration = .seconds(120), file: String = #fileID, line: Int = #line,
    _ isTrue: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + limit
    while try await !isTrue() {
        guard ContinuousClock.now < end else {
            throw NeverHappened(description: "\(file):\(line): not within \(limit): \(what)")
        }
        try await Task.sleep(for: .milliseconds(5))
    }
}

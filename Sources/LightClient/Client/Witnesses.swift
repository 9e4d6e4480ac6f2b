/// What a witness has at the height of a header that the primary source has shown.
public struct WitnessReport: Sendable, Equatable {
    public enum Verdict: Sendable, Equatable {
        case agrees
        /// Another header, by its hash; `isProven` if it, too, can be reached from what is trusted.
        case differs(hash: [UInt8], isProven: Bool)
        /// No header, or none that could be read.
        case silent(LightClientError)
    }

    /// Of the source.
    public let name: String
    public let verdict: Verdict
}

/// The other sources, which see whether the primary one shows everybody the same chain.
struct Witnesses: Sendable {
    let sources: [AskedSource]
    let settings: LightClientSettings

    /// The largest height that as many witnesses as are needed have reached.
    ///
    /// - Throws: `.unavailable` if too few answer.
    func latestHeight() async throws(LightClientError) -> Int64 {
        let heights = await all { source in try? await source.latestHeight() }.compactMap { $0 }
        guard heights.count >= settings.minimumWitnesses else {
            throw LightClientError(
                .unavailable, "\(heights.count) witnesses answered; \(settings.minimumWitnesses) are needed")
        }
        return heights.sorted(by: >)[settings.minimumWitnesses - 1]
    }

    /// Asks all for their header of a height, at once.
    ///
    /// - Parameter trusted: From which a differing header must be reached to be proven.
    func reports(
        on hash: [UInt8], at height: Int64, from trusted: TrustedState, now: @escaping @Sendable () -> ChainTime
    ) async -> [WitnessReport] {
        await all { source in
            do throws(LightClientError) {
                let other = try await source.signedHeader(at: height).header.hash()
                if other == hash { return WitnessReport(name: source.name, verdict: .agrees) }
                let proven = await isProven(other, at: height, by: source, from: trusted, now: now)
                return WitnessReport(name: source.name, verdict: .differs(hash: other, isProven: proven))
            } catch {
                return WitnessReport(name: source.name, verdict: .silent(error))
            }
        }
    }

    /// The conflict that reports tell of, if one does: a proven header before others.
    ///
    /// - Parameter hash: Of the header that was asked about.
    func conflict(
        _ reports: [WitnessReport], about hash: [UInt8], at height: Int64
    ) throws(LightClientError) -> ChainConflict? {
        var found: ChainConflict?
        for report in reports {
            guard case .differs(let other, let isProven) = report.verdict, isProven || found == nil else { continue }
            found = try ChainConflict(
                height: height, followed: hash, other: other, isProven: isProven,
                source: ChainConflict.name(of: report.name))
            if isProven { break }
        }
        return found
    }

    /// - Throws: `.unavailable` if too few agree.
    func requireAgreement(_ reports: [WitnessReport], at height: Int64) throws(LightClientError) {
        let agreeing = reports.count(where: { $0.verdict == .agrees })
        guard agreeing >= settings.minimumWitnesses else {
            throw LightClientError(
                .unavailable, "\(agreeing) witnesses agree at height \(height); \(settings.minimumWitnesses) must")
        }
    }

    private func isProven(
        _ hash: [UInt8], at height: Int64, by source: AskedSource, from trusted: TrustedState,
        now: @escaping @Sendable () -> ChainTime
    ) async -> Bool {
        do throws(LightClientError) {
            let bisection = try Bisection(
                from: trusted, to: height, HeaderRules(settings.rules), isSequential: settings.isSequential,
                maximumHeaders: settings.maximumHeaders)
            return try await source.follow(bisection, within: settings.patience, now: now).hash == hash
        } catch { return false }
    }

    /// In the order of the sources.
    private func all<Value: Sendable>(_ body: @escaping @Sendable (AskedSource) async -> Value) async -> [Value] {
        await withTaskGroup(of: (Int, Value).self) { group in
            for (index, source) in sources.enumerated() { group.addTask { (index, await body(source)) } }
            var values: [(Int, Value)] = []
            for await value in group { values.append(value) }
            return values.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }
}

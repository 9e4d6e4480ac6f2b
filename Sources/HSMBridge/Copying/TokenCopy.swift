public import Token
import Workers

/// Copying objects from one PKCS #11 token to another.
///
/// Keys travel wrapped under a key that both tokens made for this copy, so nothing secret is in this process in the clear. A
/// key counts as copied when it did the same as the source's with the same challenge and every attribute that was read back
/// is as it was; what arrives otherwise is destroyed. Nothing on the target is replaced, nothing on the source is changed.
public enum TokenCopy {
    /// How to reach one of the two tokens.
    public struct Endpoint: Sendable {
        public var uri: TokenURI
        public var pinSource: PINSource
        /// Holds the string that the module wants at C_Initialize; most want none.
        public var moduleInitialisation: PINSource?

        public init(uri: TokenURI, pinSource: PINSource, moduleInitialisation: PINSource? = nil) {
            self.uri = uri
            self.pinSource = pinSource
            self.moduleInitialisation = moduleInitialisation
        }
    }

    /// How long one call into a module may take: cards make RSA pairs for minutes.
    public static let callLimit = Duration.seconds(300)

    /// Copies every token object that one of `matches` chooses; all of them if there is none.
    ///
    /// - Parameters:
    ///   - isDryRun: Rehearses with session objects and writes nothing to either token.
    ///   - faults: Makes calls into both modules fail; for tests.
    ///   - progress: Is told how many objects are done, of how many; on a thread of the copy's own.
    /// - Returns: What became of each. A token that is lost half way, or full, ends the copy and is told in `stopped`.
    /// - Throws: `.configurationRefused` if both are the same token or nothing matches, and what finding, opening and logging
    ///   in to either throws, before anything was done.
    /// - Concurrency: blocks a thread of its own, which is left behind if a module does not answer within ``callLimit``.
    public static func run(
        from: Endpoint, to: Endpoint, matching matches: [ObjectMatch] = [], isDryRun: Bool = false,
        faults: FaultPlan? = nil, progress: @escaping @Sendable (_ done: Int, _ of: Int) -> Void = { _, _ in }
    ) async throws(HSMError) -> TokenCopyReport {
        let clock = CallClock()
        let outcome = await withUnsafeContinuation { (continuation: UnsafeContinuation<Outcome, Never>) in
            let answer = OneShot(continuation)
            let hasStarted = WorkerThread.start {
                answer.deliver(
                    work(from, to, matches, isDryRun: isDryRun, faults: faults, clock: clock, progress: progress))
                clock.end()
            }
            if !hasStarted {
                clock.end()
                answer.deliver(.failure(HSMError(.overloaded, "The system has no more threads.")))
            }
            Task {
                while await clock.isRunning(within: callLimit) {}
                answer.deliver(
                    .failure(
                        HSMError(
                            .tokenUnavailable,
                            "A module does not answer; see whether its device does, and run the copy again: what arrived is "
                                + "left, and the rest goes on.")))
            }
        }
        return try outcome.get()
    }

    private typealias Outcome = Result<TokenCopyReport, HSMError>

    private final class User: Sendable {}

    private static func work(
        _ from: Endpoint, _ to: Endpoint, _ matches: [ObjectMatch], isDryRun: Bool, faults: FaultPlan?,
        clock: CallClock, progress: (Int, Int) -> Void
    ) -> Outcome {
        let (sourceUser, targetUser) = (User(), User())
        do throws(HSMError) {
            let sourceModule = try attach(from, .source, sourceUser)
            defer { sourceModule.detach(user: ObjectIdentifier(sourceUser)) }
            let targetModule = try attach(to, .target, targetUser)
            defer { targetModule.detach(user: ObjectIdentifier(targetUser)) }
            let access = isDryRun ? Session.Access.readOnly : .readWrite
            let source = try CopySide(
                from, .source, door: CallDoor(module: sourceModule, observer: clock, faults: faults), access: access)
            let target = try CopySide(
                to, .target, door: CallDoor(module: targetModule, observer: clock, faults: faults), access: access)
            try refuseSame(source, target)
            try source.login()
            try target.login()
            defer {
                source.discardAll()
                target.discardAll()
            }
            return .success(try copy(source, target, matches, isDryRun: isDryRun, progress: progress))
        } catch {
            return .failure(error)
        }
    }

    private static func attach(
        _ endpoint: Endpoint, _ role: CopySide.Role, _ user: User
    ) throws(HSMError) -> Module {
        do throws(HSMError) {
            return try Module.attach(
                endpoint.uri.modulePath ?? "", initialisation: endpoint.moduleInitialisation,
                user: ObjectIdentifier(user))
        } catch {
            throw error.at(role)
        }
    }

    /// One token under two names would be its own copy.
    private static func refuseSame(_ source: CopySide, _ target: CopySide) throws(HSMError) {
        let isOneSlot = source.keeper.door.module === target.keeper.door.module && source.slot == target.slot
        guard !isOneSlot, source.identity != target.identity else {
            throw HSMError(
                .configurationRefused,
                "--from and --to name the same token, or two that say the same of themselves in every respect "
                    + "('\(source.identity.label)' serial \(source.identity.serial)). Nothing was done; see `kmsd token list`, and "
                    + "give one of two such tokens another label.")
        }
    }

    private static func copy(
        _ source: CopySide, _ target: CopySide, _ matches: [ObjectMatch], isDryRun: Bool,
        progress: (Int, Int) -> Void
    ) throws(HSMError) -> TokenCopyReport {
        var report = TokenCopyReport(from: source.identity, to: target.identity, isDryRun: isDryRun)
        for side in [source, target] {
            let leftovers = try side.leftovers()
            report.leftovers += leftovers.count
            guard !isDryRun else { continue }
            for object in leftovers { try side.keep { session throws(HSMError) in try session.destroy(object) } }
        }
        var copier = try TokenCopier(source, target, isDryRun: isDryRun)
        let chosen = copier.chosen(by: matches)
        guard !chosen.isEmpty || matches.isEmpty else {
            throw HSMError(
                .invalidArgument,
                "No object on the source matches; `kmsd token lint` and --dry-run without --match list what is there.")
        }
        report.objects = chosen.map(TokenCopyReport.Entry.init)
        for (index, object) in chosen.enumerated() {
            progress(index, chosen.count)
            do throws(HSMError) {
                try copier.copy(object, &report.objects[index])
            } catch {
                report.objects[index].refuse(
                    error.message, "see the token to, and run the copy again: it goes on from here")
                report.stopped = TokenCopyReport.Stop(code: error.code.rawValue, message: error.message)
                break
            }
        }
        if report.stopped == nil { progress(chosen.count, chosen.count) }
        report.transport = copier.transportName
        return report
    }
}

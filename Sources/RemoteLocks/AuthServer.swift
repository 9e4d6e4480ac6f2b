public import EnclaveLock
import Encodings
import LibCrypto
public import OutboundHTTP
public import SecretMemory
import Synchronization

/// The server that keeps one share of each user, as TrustBloc's Auth server does it.
///
/// Shares are remembered in locked memory for a bounded time, so that not every request asks.
///
/// - Concurrency: any number of calls at once; those for one user share one question.
public final class AuthServer: ShareSource {
    /// Users whose share is remembered at most.
    private static let remembered = 4096
    /// For all tries of one question.
    private static let patience = Duration.seconds(20)

    private let url: String
    private let token: SharedSecret
    private let outbound: any OutboundSending
    private let shares: LockKeyCache
    private let timeToLive: Duration
    private let questions = QuestionBudget(capacity: remembered)
    private let told = ShareChanges()
    private let seen = SeenShares(capacity: remembered)

    /// - Parameters:
    ///   - url: Without a slash at its end; `/secret` is appended.
    ///   - token: Sent base64-encoded as a bearer token.
    ///   - timeToLive: How long a share is remembered; zero asks each time.
    public init(url: String, token: SharedSecret, outbound: any OutboundSending, timeToLive: Duration) {
        self.url = url
        self.token = token
        self.outbound = outbound
        self.timeToLive = timeToLive
        shares = LockKeyCache(timeToLive: timeToLive, capacity: Self.remembered)
    }

    public func share(of user: String) async throws(EnclaveLockError) -> SharedSecret {
        try await shares.lease(for: user) { [self] () async throws(EnclaveLockError) in try await fetch(user) }.key
    }

    public var changes: ShareChanges? { told }

    public func forget(_ user: String) { shares.forget(user) }

    public func currentShare(of user: String) async throws(EnclaveLockError) -> SharedSecret {
        if shares.kept(user) != nil { shares.forget(user) }
        return try await share(of: user)
    }

    public func freshShare(
        of user: String, since start: ContinuousClock.Instant
    ) async throws(EnclaveLockError) -> SharedSecret? {
        guard timeToLive > .zero else { return nil }
        // Forgotten meanwhile, or somebody else asks just now.
        guard let kept = shares.kept(user) else { return try await share(of: user) }
        if kept.since >= start { return kept.key }
        guard questions.take(user) else { return nil }
        return try await currentShare(of: user)
    }

    /// - Throws: `.remoteFailed`, `.internalFailure`. A share that is another than before is told before it is given.
    private func fetch(_ user: String) async throws(EnclaveLockError) -> SharedSecret {
        let request = OutboundRequest(
            method: "GET", url: "\(url)/secret?sub=\(Self.queryEscaped(user))",
            headers: [
                (name: "Authorization", value: "Bearer " + token.withUnsafeBytes { Base64.encode($0) }),
                (name: "Accept", value: "application/json"),
            ])
        let answer: OutboundAnswer
        do {
            answer = try await OutboundRetry(outbound, until: .now + Self.patience).send { request }
        } catch {
            let error = error as? OutboundError
            throw Self.failed(
                "the Auth server gave no answer: \(error?.message ?? "the request was cancelled")",
                isPassing: error?.isPassing ?? true)
        }
        guard answer.status == 200 else { throw Self.failed(Self.refusal(answer), isPassing: answer.isPassing) }
        guard let text = (try? JSONNode(reading: answer.body))?["secret"]?.text else {
            throw Self.failed("the Auth server's answer has no 'secret'")
        }
        let share: SharedSecret?
        do {
            share = try SealedText.decode(text, limit: 1025)
        } catch {
            throw EnclaveLockError(.internalFailure, "Could not hold a share: \(error)")
        }
        guard let share, share.count > 1 else { throw Self.failed("the Auth server's share is not base64") }
        do throws(LibCryptoError) {
            if try seen.isChanged(share, of: user) { told.report(user) }
        } catch {
            throw EnclaveLockError(.internalFailure, "Could not compare a share: \(error)")
        }
        return share
    }

    /// What the server said, if it can be shown, else its status.
    private static func refusal(_ answer: OutboundAnswer) -> String {
        let message =
            (try? JSONNode(reading: answer.body))?["message"]?.text
            ?? String(validating: answer.body, as: UTF8.self) ?? ""
        let shown = message.unicodeScalars.filter { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: false
            default: true
            }
        }.prefix(200)
        return "the Auth server answered \(answer.status): " + String(String.UnicodeScalarView(shown))
    }

    private static func failed(_ reason: String, isPassing: Bool = false) -> EnclaveLockError {
        EnclaveLockError(.remoteFailed, "fetch secret share: " + reason, isPassing: isPassing)
    }

    /// Everything but unreserved characters (RFC 3986 §2.3) as `%XX` of its UTF-8.
    static func queryEscaped(_ text: String) -> String {
        text.utf8.reduce(into: "") { escaped, byte in
            if PercentEncoding.isUnreserved(byte) {
                escaped.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                escaped += PercentEncoding.encode(byte)
            }
        }
    }
}

import HTTPTypes
import Hummingbird

/// One route of the API, in one row of the ``RouteTable``: where it is, what it needs, how it is recorded, measured and told,
/// and who answers. A class, so that a request takes one reference and not what is in it.
final class Route: Sendable {
    /// What must be shown before the handler runs.
    enum Guard: Equatable, Sendable {
        /// Nothing.
        case none
        /// No capability exists yet; the administration guard, if there is one, decides.
        case createKeystore
        /// No capability names such an action, so the administration guard decides.
        case manage
        /// What guards the keystore must allow this action, by its name in capabilities.
        case keystore(action: String)
        /// A bearer token in `X-Jwt-Token`.
        case user
        /// None, but one that is sent must be right.
        case userIfShown
    }

    /// How the audit chain names it. The split-key domain records its decisions itself.
    struct Record: Equatable, Sendable {
        // exact: words of ours.
        let word: String
        let kind: AuditedRoute.Kind
        /// Whether the record is about what was made, and not about what the path names.
        let isAboutMade: Bool

        /// Makes, gives out or ends something.
        static func change(_ word: String, isAboutMade: Bool = true) -> Record {
            Record(word: word, kind: .change, isAboutMade: isAboutMade)
        }

        /// Shows what there is.
        static func look(_ word: String) -> Record { Record(word: word, kind: .look, isAboutMade: true) }

        /// Uses a key.
        static func use(_ word: String) -> Record { Record(word: word, kind: .use, isAboutMade: true) }
    }

    /// Most bytes of a body.
    enum BodyLimit: Sendable {
        /// As `max-body` says.
        case full
        /// 64 KiB, or `max-body` if that is less: a key, a share or a form fits many times.
        case small

        func bytes(_ maximum: Int) -> Int { self == .full ? maximum : min(maximum, 64 * 1024) }
    }

    typealias Handler = @Sendable (_ call: inout RouteCall, _ api: Controllers) async throws -> Response

    let method: HTTPRequest.Method
    /// Segments in braces stand for whatever is there, but not for nothing.
    let path: StaticString
    /// What it does, for messages and the log.
    let operation: StaticString
    let dialect: Dialect
    let needs: Guard
    /// Nil: it decides nothing, or the domain records it.
    let record: Record?
    let body: BodyLimit
    /// Whether TrustBloc's server has it, so that failures may have that server's statuses.
    let isUpstream: Bool
    /// Whether it takes the caller's share in its headers.
    let takesShare: Bool
    /// Of split keys: the status for a key or wallet that is not there.
    let absentStatus: Int
    let handle: Handler

    init(
        _ method: HTTPRequest.Method, _ path: StaticString, _ operation: StaticString, _ needs: Guard,
        _ record: Record? = nil, dialect: Dialect = .present, body: BodyLimit = .full, isUpstream: Bool = false,
        takesShare: Bool = true, absentStatus: Int = 400, _ handle: @escaping Handler
    ) {
        self.method = method
        self.path = path
        self.operation = operation
        self.dialect = dialect
        self.needs = needs
        self.record = record
        self.body = body
        self.isUpstream = isUpstream
        self.takesShare = takesShare
        self.absentStatus = absentStatus
        self.handle = handle
    }
}

/// Whose clients a route is for: this decides the form of failures, and the headers that carry a share.
enum Dialect: Sendable {
    /// The present keystore API, and the routes for supervisors.
    case present
    /// The keystore API's first generation, under `/kms`.
    case firstGeneration
    /// 0Chain's ZVault, under `/zvault`.
    case vault
    /// 0Chain's ZAuth, under `/zauth`.
    case authority

    var isSplit: Bool { self == .vault || self == .authority }
}

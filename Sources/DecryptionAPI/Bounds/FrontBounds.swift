import Decryption
import Encodings
import GRPCCore
public import NIOCore

/// Looks after the connections of a listener: how many may be open, and which is closed when another client comes.
public protocol ConnectionKeeping: Sendable {
    /// Begins with a listener, on its event loop.
    func keep(listener: any Channel) -> EventLoopFuture<Void>
    /// Learns of a connection that was accepted.
    func enter(_ channel: any Channel) -> any KeptConnection
}

/// One connection, as far as it matters for making room.
public protocol KeptConnection: Sendable {
    /// - Parameters:
    ///   - questions: Under way.
    ///   - waiting: Those of them that wait for the client.
    func become(questions: Int, waiting: Int)
    func leave()
}

/// A method as the bounds know it.
struct FrontMethod: Sendable {
    /// In metrics.
    var name = "other"
    /// In questions, of the caller's rate.
    var cost = 1.0
    /// Whether it goes on until the client ends it.
    var isWatch = false
    /// The word of the audit chain; nil for what is not recorded there.
    var operation: String?

    /// What is not decrypted for costs a tenth.
    private static let small = 0.1
    private static let operations = [
        ("Decrypt", "decrypt"), ("Validate_and_decrypt", "decrypt"), ("Reencrypt", "reencrypt"),
        ("PublicDecrypt", "public-decrypt"), ("UserDecrypt", "user-decrypt"), ("AttestKey", "attestation"),
    ]

    init() {}

    init(_ descriptor: MethodDescriptor) {
        name = descriptor.fullyQualifiedMethod
        operation = Self.operations.first { $0.0.utf8.elementsEqual(descriptor.method.utf8) }?.1
        cost = operation == nil ? Self.small : 1
        isWatch =
            descriptor.service.fullyQualifiedService.utf8.elementsEqual(HealthService.name.utf8)
            && descriptor.method.utf8.elementsEqual("Watch".utf8)
    }
}

/// What the connections and questions of one front share.
struct FrontBounds: Sendable {
    let use: FrontUse
    let meters: FrontMeters
    let statuses: Statuses
    let service: DecryptionService
    /// By `:path`.
    let methods: [ExactText: FrontMethod]
    /// Nil: nobody looks after them.
    let keeper: (any ConnectionKeeping)?

    var limits: FrontLimits { use.limits }
    var patience: TimeAmount { TimeAmount(limits.patience) }

    init(
        _ limits: FrontLimits, meters: FrontMeters, statuses: Statuses, service: DecryptionService,
        methods: [MethodDescriptor], keeper: (any ConnectionKeeping)?
    ) {
        use = FrontUse(limits)
        self.meters = meters
        self.statuses = statuses
        self.service = service
        self.keeper = keeper
        self.methods = Dictionary(
            methods.map { (ExactText("/" + $0.fullyQualifiedMethod), FrontMethod($0)) },
            uniquingKeysWith: { first, _ in first })
    }

    /// What a caller who is turned away is told.
    func error(_ reason: FrontRefusal) -> RPCError {
        switch reason {
        case .length:
            statuses.unread(
                RPCError(
                    code: .resourceExhausted,
                    message: "message-length: the request has more than \(limits.message) bytes"))
        case .slowBody, .slowReader:
            statuses.error(
                DecryptionError(.late, reason.rawValue, "the request did not arrive within \(limits.patience)"))
        case .rate:
            statuses.error(
                DecryptionError(.exhausted, reason.rawValue, "too many questions of this caller; try again in a second")
            )
        default:
            statuses.error(
                DecryptionError(.exhausted, reason.rawValue, "too much is under way at once; try again later"))
        }
    }
}

/// What callers of the gRPC front may use up at once, one of them and all together.
public struct FrontLimits: Sendable {
    /// Connections of one caller.
    public var connectionsPerCaller = 512
    /// Questions under way on one connection.
    public var streamsPerConnection = 100
    /// Questions under way over all connections.
    public var streams = 1024
    /// Of them, those that never end by themselves (`Health/Watch`).
    public var watches = 128
    /// Bytes of questions that are being read or answered.
    public var bytes: Int
    /// Bytes of one message.
    public var message: Int
    /// For a question to arrive whole, an answer to be taken, a connection to say its first word.
    public var patience: Duration

    /// - Parameters:
    ///   - message: Bytes of one message.
    ///   - patience: For what waits for the caller.
    public init(message: Int, patience: Duration) {
        self.message = message
        self.patience = patience
        bytes = max(128 << 20, 32 * message)
    }

    // Nobody takes all alone.
    var streamsPerCaller: Int { max(1, streams / 2) }
    var watchesPerCaller: Int { max(1, watches / 4) }
    var bytesPerCaller: Int { bytes / 2 }
}

/// Why the front turned a connection or a question away before anybody looked at it.
enum FrontRefusal: String, CaseIterable, Sendable {
    case connectionsOfCaller = "caller-connections"
    case silence = "silent-connection"
    case streams = "streams"
    case streamsOfCaller = "caller-streams"
    case watches = "watches"
    case bytes = "bytes"
    case bytesOfCaller = "caller-bytes"
    case rate = "rate"
    case length = "message-length"
    case slowBody = "slow-body"
    case slowReader = "slow-reader"
}

/// Why an answer, a wallet or a proof is refused by a client. No message repeats a plaintext or a key.
public struct ClientError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A short stable word.
    public var code: String
    public var message: String

    public init(_ code: String, _ message: String) {
        self.code = code
        self.message = message
    }

    static let noMemory = ClientError("locked-memory", "there is no locked memory for the value: raise `ulimit -l`")

    public var description: String { message }
}

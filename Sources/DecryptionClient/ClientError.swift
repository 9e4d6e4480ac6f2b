/// Why an answer, a wallet or a proof is refused by a client. No message repeats a plaintext or a key.
public struct ClientError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A short stable word.
    public var code: String
    public var message: String

    public init(_ code: String, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}

/// Why a configuration is refused. Names the setting, where it was given and what to write instead; never a secret.
public struct ConfigurationError: Error, Sendable, CustomStringConvertible {
    public let message: String

    public init(_ message: String) { self.message = message }

    public var description: String { message }
}

/// Why a configuration is refused. Names the setting, where it was given and what to write instead; never a secret.
public struct ConfigurationError: Error, Sendable, CustomStringConvertible {
    public let message: String
    /// Whether the setting is right and the file it names cannot be read as it must be, such as a secret that others can
    /// read.
    public let isAboutRights: Bool

    public init(_ message: String, isAboutRights: Bool = false) {
        self.message = message
        self.isAboutRights = isAboutRights
    }

    public var description: String { message }
}

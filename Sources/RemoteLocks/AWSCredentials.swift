public import SecretMemory

/// Who calls AWS.
public struct AWSCredentials: Sendable {
    public let accessKey: String
    public let secretKey: SharedSecret
    /// Of temporary credentials.
    public let sessionToken: String?

    public init(accessKey: String, secretKey: SharedSecret, sessionToken: String? = nil) {
        self.accessKey = accessKey
        self.secretKey = secretKey
        self.sessionToken = sessionToken
    }
}

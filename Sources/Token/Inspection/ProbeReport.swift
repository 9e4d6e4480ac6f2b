/// What a token proved able to do, by known answers and self-consistency; mechanism flags are no evidence.
public struct ProbeReport: Codable, Sendable, Equatable {
    public enum Outcome: String, Codable, Sendable {
        /// The operation gave the right answer.
        case ok
        /// The token says that it cannot.
        case absent
        /// The token claims to and gives a wrong or no answer.
        case failed
        /// It could not be tried: the token made nothing to try it with.
        case notProbed = "not-probed"
    }

    public struct Capability: Codable, Sendable, Equatable {
        /// Such as `aes-256-gcm` or `ecdh-bn254`.
        public var name: String
        public var outcome: Outcome
        /// For a failure or absence: the return value and function, such as `CKR_MECHANISM_INVALID from C_SignInit`.
        /// Otherwise what could not be checked; nil if nothing is in doubt.
        public var detail: String?
        /// Operations per second of one session, where it was measured.
        public var rate: Double?

        package init(name: String, outcome: Outcome, detail: String?, rate: Double?) {
            self.name = name
            self.outcome = outcome
            self.detail = detail
            self.rate = rate
        }
    }

    public var token: TokenIdentity
    public var capabilities: [Capability]
    /// Sessions that were open at the same time, up to the number tried.
    public var parallelSessions: Int
    /// What became of the templates of `kmsd init`; nil unless it was asked to write.
    public var templates: [TemplateReport]?

    package init(
        token: TokenIdentity, capabilities: [Capability], parallelSessions: Int, templates: [TemplateReport]? = nil
    ) {
        self.templates = templates
        self.token = token
        self.capabilities = capabilities
        self.parallelSessions = parallelSessions
    }

    public subscript(name: String) -> Capability? { capabilities.first { $0.name == name } }
}

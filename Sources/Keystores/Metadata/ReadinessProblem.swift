/// One reason why the service cannot serve now.
public struct ReadinessProblem: Sendable, Hashable, Codable {
    /// The part that is not ready.
    public enum Component: String, Sendable, Hashable, Codable {
        case lock
        case store
    }

    public var component: Component
    /// For the operator: what is wrong and what to do. Names no key and no path.
    public var message: String

    public init(component: Component, message: String) {
        self.component = component
        self.message = message
    }
}

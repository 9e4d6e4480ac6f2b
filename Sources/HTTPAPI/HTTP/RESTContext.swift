public import Hummingbird

/// Nothing: controllers need only the request, and a request's logger would cost more than its signature.
public struct RESTContext: InitializableFromSource {
    public init(source: ApplicationRequestContextSource) {}
}

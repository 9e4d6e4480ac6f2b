package import Capabilities

/// Whether and how strictly capabilities guard keystores.
public enum CapabilityMode: Sendable, Hashable {
    case off
    /// What the Go clients send is enough: a signature over `(created)`.
    case compatible
    /// The signature must cover the request, be fresh, and is accepted once.
    case strict

    package var mode: CapabilityVerifier.Mode? {
        switch self {
        case .off: nil
        case .compatible: .compatible
        case .strict: .strict
        }
    }
}

public import HSMBridge

/// What a token proved about anchors, with a scalar thrown away afterwards.
public struct AnchorCapability: Sendable {
    /// Whether it imports a scalar unreadably and multiplies hash points by it rightly.
    public var canAnchor: Bool
    /// Why not.
    public var refusal: HSMError?
    /// One multiplication in the token, hops included; nil if it cannot.
    public var product: Duration?
    /// The pairing that decides a sign in this process.
    public var pairing: Duration?

    /// The faster way to find the sign of a product.
    public var recovery: AnchorSettings.Recovery {
        guard let product, let pairing else { return .pairing }
        return product > pairing ? .pairing : .secondProduct
    }
}

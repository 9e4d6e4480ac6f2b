public import Token

/// What a token proved about anchors, with a scalar thrown away afterwards.
public struct AnchorCapability: Sendable {
    /// Whether it imports a scalar unreadably and multiplies hash points by it rightly.
    public var canAnchor: Bool
    /// Why not.
    public var refusal: HSMError?
    /// A product whose sign a pairing decides, from the request to the point; nil if the token cannot.
    public var pairing: Duration?
    /// A product whose sign a second product decides.
    public var secondProduct: Duration?

    /// The faster way to find the sign of a product.
    public var recovery: AnchorSettings.Recovery {
        guard let pairing, let secondProduct else { return .pairing }
        return pairing < secondProduct ? .pairing : .secondProduct
    }
}

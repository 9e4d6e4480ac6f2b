/// What an operator decides about anchors. Each default lets the token's probe decide.
public struct AnchorSettings: Sendable, Hashable {
    /// Where new anchors live.
    public enum Placement: String, Sendable, CaseIterable {
        /// In the token if it proves that it can hold and use them, else sealed.
        case automatic = "auto"
        /// In the token; refused if it cannot.
        case anchored
        /// Sealed by the token and multiplied in this process.
        case sealed
    }

    /// How an anchor is kept in the token.
    public enum Storage: String, Sendable, CaseIterable {
        /// Wrapped under a key of the token, unwrapped there to be used: any number of anchors.
        case wrapped
        /// A token object for each anchor: destroying it ends every copy of the record, but tokens hold few objects and
        /// some read them all at each search.
        case object
    }

    /// How the sign of a product is found, of which a token gives only x.
    public enum Recovery: String, Sendable, CaseIterable {
        /// What the probe found to be faster.
        case automatic = "auto"
        /// One product, and a pairing.
        case pairing
        /// Two products, and no pairing.
        case secondProduct = "second-product"
    }

    public var placement: Placement
    public var storage: Storage
    public var recovery: Recovery

    public init(
        placement: Placement = .automatic, storage: Storage = .wrapped, recovery: Recovery = .automatic
    ) {
        self.placement = placement
        self.storage = storage
        self.recovery = recovery
    }
}

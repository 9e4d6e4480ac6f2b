/// The base field of a pairing curve: p = 3 mod 4, with double-width products for lazy reduction.
protocol PairingBaseField: PrimeField {
    associatedtype Wide: WideElement where Wide.Narrow == Self
    static func unreducedSum(_ x: Self, _ y: Self) -> Self
    static var squareRootExponent: [UInt64] { get }
    static var ratioExponent: [UInt64] { get }
    static var legendreExponent: [UInt64] { get }
}

/// A double-width integer modulo p * R.
protocol WideElement: Sendable {
    associatedtype Narrow
    static func product(_ x: Narrow, _ y: Narrow) -> Self
    var reduced: Narrow { get }
    static func + (x: Self, y: Self) -> Self
    static func - (x: Self, y: Self) -> Self
    static func &+ (x: Self, y: Self) -> Self
    static func &- (x: Self, y: Self) -> Self
}

extension PairingBaseField {
    /// The square root that is itself a square, or nil.
    var squareRoot: Self? {
        let root = power(Self.squareRootExponent)
        return root.squared == self ? root : nil
    }

    /// Legendre symbol of a public value: 1, 0 or -1.
    var legendreSymbol: Int {
        if isZero { return 0 }
        return power(Self.legendreExponent) == Self.one ? 1 : -1
    }
}

/// A curve y² = x³ + b over a field of the tower, with its generator.
protocol CurveGroup: Sendable {
    associatedtype Field: FieldElement
    static var b: Field { get }
    static var generatorX: Field { get }
    static var generatorY: Field { get }
    /// 3·b·x, which the complete formulas need.
    static func times3b(_ x: Field) -> Field
}

extension CurveGroup {
    /// Whether an affine point satisfies the curve equation.
    static func contains(_ x: Field, _ y: Field) -> Bool { y.squared == x.squared * x + b }
}

extension BLS12381 {
    /// A point of E(Fp): y² = x³ + 4 in the subgroup of order r: every way to make one checks that, or derives it from such points.
    ///
    /// Operations are for public values; secrets multiply points only inside the signature functions.
    public struct G1Point: Sendable, Equatable {
        let point: Point<G1Curve>

        /// The caller vouches for the subgroup, which debug builds check.
        init(_ point: Point<G1Curve>) {
            require(point.isOnCurve && isInSubgroup(point), "BLS12381: a point outside G1")
            self.point = point
        }

        public static let infinity = G1Point(.infinity)
        /// The base point of the specification.
        public static let generator = G1Point(.generator)

        public var isInfinity: Bool { point.isInfinity }

        public static func + (p: G1Point, q: G1Point) -> G1Point { G1Point(p.point + q.point) }
        public static prefix func - (p: G1Point) -> G1Point { G1Point(-p.point) }

        /// Σ points.
        public static func sum(_ points: some Sequence<G1Point>) -> G1Point {
            points.reduce(.infinity) { $0 + $1 }
        }
    }
}

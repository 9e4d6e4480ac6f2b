extension BN254 {
    /// A point of the twist over Fp2: y² = x³ + (1 - i) in the subgroup of order r: every way to make one checks that, or derives it from such points.
    ///
    /// Operations are for public values; secrets multiply points only inside the signature functions.
    public struct G2Point: Sendable, Equatable {
        let point: Point<G2Curve>

        /// The caller vouches for the subgroup, which debug builds check.
        init(_ point: Point<G2Curve>) {
            require(point.isOnCurve && isInSubgroup(point), "BN254: a point outside G2")
            self.point = point
        }

        public static let infinity = G2Point(.infinity)
        /// The base point of the specification.
        public static let generator = G2Point(.generator)

        public var isInfinity: Bool { point.isInfinity }

        public static func + (p: G2Point, q: G2Point) -> G2Point { G2Point(p.point + q.point) }
        public static prefix func - (p: G2Point) -> G2Point { G2Point(-p.point) }

        /// Σ points.
        public static func sum(_ points: some Sequence<G2Point>) -> G2Point {
            points.reduce(.infinity) { $0 + $1 }
        }
    }
}

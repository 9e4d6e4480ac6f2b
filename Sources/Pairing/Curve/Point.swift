/// A point in homogeneous coordinates (X : Y : Z), x = X/Z, y = Y/Z; infinity is (0 : 1 : 0).
///
/// Addition and doubling are complete: one formula for every pair of points of odd order, infinity and equal points
/// included, so they need no branch.
///
/// - Source: Renes, Costello and Batina, "Complete addition formulas for prime order elliptic curves", algorithms 7 to 9.
struct Point<Group: CurveGroup>: Sendable {
    typealias Field = Group.Field
    var x: Field
    var y: Field
    var z: Field

    @inline(__always) init(_ x: Field, _ y: Field, _ z: Field) {
        self.x = x
        self.y = y
        self.z = z
    }

    init(_ affine: AffinePoint<Group>) {
        let mask = affine.infinityMask
        self.init(affine.x, .select(mask, .one, affine.y), .select(mask, .zero, .one))
    }

    static var infinity: Self { Self(.zero, .one, .zero) }
    static var generator: Self { Self(Group.generatorX, Group.generatorY, .one) }

    @inline(never) static func + (p: Self, q: Self) -> Self {
        let xx = p.x * q.x
        let yy = p.y * q.y
        let zz = p.z * q.z
        let xy = (p.x + p.y) * (q.x + q.y) - xx - yy
        let yz = (p.y + p.z) * (q.y + q.z) - yy - zz
        let xz = Group.times3b((p.x + p.z) * (q.x + q.z) - xx - zz)
        let xx3 = xx.tripled
        let bzz = Group.times3b(zz)
        let sum = yy + bzz
        let difference = yy - bzz
        return Self(xy * difference - yz * xz, difference * sum + xz * xx3, sum * yz + xx3 * xy)
    }

    @inline(never) var doubled: Self {
        let yy = y.squared
        let yy8 = yy.quadrupled.doubled
        let zz = Group.times3b(z.squared)
        let yz = y * z
        let difference = yy - zz.tripled
        return Self((difference * (x * y)).doubled, difference * (yy + zz) + zz * yy8, yz * yy8)
    }

    @inline(__always) static prefix func - (p: Self) -> Self { Self(p.x, -p.y, p.z) }
    static func - (p: Self, q: Self) -> Self { p + (-q) }

    @inline(__always) static func select(_ mask: UInt64, _ p: Self, _ q: Self) -> Self {
        Self(.select(mask, p.x, q.x), .select(mask, p.y, q.y), .select(mask, p.z, q.z))
    }

    @inline(__always) var isInfinity: Bool { z.isZero }

    /// Whether the coordinates satisfy the curve's equation; for a public point, and for checks.
    var isOnCurve: Bool {
        if isInfinity { return x.isZero && !y.isZero }
        return y.squared * z == x.squared * x + Group.b * (z.squared * z)
    }

    var affine: AffinePoint<Group> {
        let scale = z.inverse
        return AffinePoint(x * scale, y * scale, infinityMask: z.isZeroMask)
    }

    /// The same for a public point, faster.
    var affineVariableTime: AffinePoint<Group> {
        let scale = z.inverseVariableTime
        return AffinePoint(x * scale, y * scale, infinityMask: z.isZeroMask)
    }

    /// Several conversions with one inversion (Montgomery's trick), for public points.
    static func affineVariableTime(_ points: [Self]) -> [AffinePoint<Group>] {
        var prefixes: [Field] = []
        prefixes.reserveCapacity(points.count)
        var product = Field.one
        for point in points {
            prefixes.append(product)
            if !point.isInfinity { product = product * point.z }
        }
        var inverse = product.inverseVariableTime
        var result = [AffinePoint<Group>](repeating: .infinity, count: points.count)
        for index in points.indices.reversed() where !points[index].isInfinity {
            let scale = inverse * prefixes[index]
            result[index] = AffinePoint(points[index].x * scale, points[index].y * scale, infinityMask: 0)
            inverse = inverse * points[index].z
        }
        return result
    }
}

extension Point: Equatable {
    static func == (p: Self, q: Self) -> Bool {
        if p.isInfinity || q.isInfinity { return p.isInfinity == q.isInfinity }
        return p.x * q.z == q.x * p.z && p.y * q.z == q.y * p.z
    }
}

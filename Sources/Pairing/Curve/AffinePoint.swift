/// A point as coordinates, or infinity (where the coordinates are 0).
struct AffinePoint<Group: CurveGroup>: Sendable, Equatable {
    typealias Field = Group.Field
    var x: Field
    var y: Field
    /// All ones for infinity, else 0.
    var infinityMask: UInt64

    @inline(__always) init(_ x: Field, _ y: Field, infinityMask: UInt64) {
        self.x = x
        self.y = y
        self.infinityMask = infinityMask
    }

    static var infinity: Self { Self(.zero, .zero, infinityMask: ~0) }
    static var generator: Self { Self(Group.generatorX, Group.generatorY, infinityMask: 0) }

    @inline(__always) var isInfinity: Bool { infinityMask != 0 }
    static prefix func - (p: Self) -> Self { Self(p.x, -p.y, infinityMask: p.infinityMask) }
}

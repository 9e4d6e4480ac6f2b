extension BN254 {
    /// A public key with the lines of its Miller loop: worth keeping for a key that verifies often (about 20 kB).
    public struct PreparedPublicKey: Sendable {
        public let key: G2Point
        let prepared: PreparedG2<BN254>

        public init(_ key: G2Point) {
            self.key = key
            prepared = PreparedG2(key.point.affineVariableTime)
        }
    }

    static let preparedGenerator = PreparedG2<BN254>(AffinePoint<G2Curve>.generator)
}

extension BLS12381 {
    /// A public key in G2 with the lines of its Miller loop: worth keeping for a key that verifies often (about 20 kB).
    public struct PreparedPublicKey: Sendable {
        public let key: G2Point
        let prepared: PreparedG2<BLS12381>

        public init(_ key: G2Point) {
            self.key = key
            prepared = PreparedG2(key.point.affineVariableTime)
        }
    }

    static let preparedGenerator = PreparedG2<BLS12381>(AffinePoint<G2Curve>.generator)
}

extension BNP256 {
    /// A public key in G2 with the lines of its Miller loop: worth keeping for a key that verifies often (about 25 kB).
    public struct PreparedPublicKey: Sendable {
        public let key: G2Point
        let prepared: PreparedG2<BNP256>

        public init(_ key: G2Point) {
            self.key = key
            prepared = PreparedG2(key.point.affineVariableTime)
        }
    }

    static let preparedGenerator = PreparedG2<BNP256>(AffinePoint<G2Curve>.generator)
}

/// The operations the benchmark measures, each as a closure on fixed public inputs.
package struct PairingProbe {
    package let name: String
    /// How many runs make one sample of about a millisecond.
    package let runs: Int
    package let run: () -> Void

    package static func all() throws(PairingError) -> [PairingProbe] {
        let tag = BLSMinSig.basicTag
        let message = Array("a message of the usual thirty-two".utf8.prefix(32))
        let bls = probes(
            BLS12381.self, "BLS12-381", hash: { try? BLS12381.hashToG1(message, tag: tag).point }, bigEndian: true)
        let bn = probes(BN254.self, "BN254", hash: { try? BN254.hashToG1(message).point }, bigEndian: false)
        let bnp = probes(
            BNP256.self, "BNP256", hash: { try? BNP256.hashToG1(message, tag: BLSBNP256.basicTag).point },
            bigEndian: true)
        let g1 = BLS12381.G1Point.generator
        let g2 = BLS12381.G2Point.generator
        let key = BN254.G2Point.generator
        let preparedKey = BN254.PreparedPublicKey(key)
        let hashed = try BLS0Chain.HashedMessage(message)
        // Secret key 1: the signature is the hashed point.
        let signed = [(signature: hashed.point, publicKey: key), (hashed.point + hashed.point, key + key)]
        return bls + bn + bnp + [
            PairingProbe("BLS12-381 G1 subgroup check", 4) { observe(BLS12381.isInSubgroup(g1.point)) },
            PairingProbe("BLS12-381 G2 subgroup check", 4) { observe(BLS12381.isInSubgroup(g2.point)) },
            PairingProbe("BLS12-381 hash to G2", 2) { observe((try? BLS12381.hashToG2(message, tag: tag)) == nil) },
            PairingProbe("BN254 G2 subgroup check", 4) { observe(BN254.isInSubgroup(key.point)) },
            PairingProbe("BNP256 G2 subgroup check", 4) {
                observe(BNP256.isInSubgroup(Point<BNP256.G2Curve>.generator))
            },
            PairingProbe("BN254 verification, prepared key and hashed message", 1) {
                observe(BLS0Chain.verify(hashed.point, message: hashed, publicKey: preparedKey))
            },
            PairingProbe("BN254 verification of two signatures on one message", 1) {
                let fill: (UnsafeMutableRawBufferPointer) -> Void = { $0.copyBytes(from: message.prefix($0.count)) }
                observe((try? BLS0Chain.verifyEach(signed, message: hashed, from: fill)) == true)
            },
        ]
    }

    private init(_ name: String, _ runs: Int, _ run: @escaping () -> Void) {
        self.name = name
        self.runs = runs
        self.run = run
    }

    private static func probes<Curve: PairingCurve>(
        _: Curve.Type, _ curve: String, hash: @escaping () -> Point<Curve.Group1>?, bigEndian: Bool
    ) -> [PairingProbe] {
        let p = AffinePoint<Curve.Group1>.generator
        let q = AffinePoint<Curve.Group2>.generator
        let other = Point<Curve.Group2>.generator.doubled.affine
        let prepared = PreparedG2<Curve>(q)
        let preparedOther = PreparedG2<Curve>(other)
        // Below both orders.
        let scalar = (0..<32).map { UInt8($0) | 1 }.map { $0 & 0x1f }
        return [
            PairingProbe("\(curve) G1 multiplication by a secret", 5) {
                scalar.withUnsafeBytes { observe(Point(p).multiplied(bySecret: $0, bigEndian: bigEndian).affine == p) }
            },
            PairingProbe("\(curve) G2 multiplication by a secret", 2) {
                scalar.withUnsafeBytes { observe(Point(q).multiplied(bySecret: $0, bigEndian: bigEndian).affine == q) }
            },
            PairingProbe("\(curve) hash to G1", 5) { observe(hash() == nil) },
            PairingProbe("\(curve) lines of a G2 point", 5) { observe(PreparedG2<Curve>(q).isInfinity) },
            PairingProbe("\(curve) pairing", 1) { observe(Curve.pairing([(p, PreparedG2(q))]) == .one) },
            PairingProbe("\(curve) product of two", 1) {
                observe(Curve.productIsOne([(p, PreparedG2(q)), (p, PreparedG2(other))]))
            },
            PairingProbe("\(curve) product of two, prepared", 1) {
                observe(Curve.productIsOne([(p, prepared), (p, preparedOther)]))
            },
        ]
    }

    /// Uses a result, so that the work before it stays.
    @inline(never) @_optimize(none)
    private static func observe(_ flag: Bool) {}
}

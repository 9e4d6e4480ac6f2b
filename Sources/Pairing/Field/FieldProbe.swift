/// Field arithmetic for those who measure it: the constant-time harness and the benchmark.
package enum FieldProbe: String, CaseIterable, Sendable {
    case bls12381Base = "BLS12-381 Fp"
    case bls12381Scalar = "BLS12-381 Fr"
    case bn254Base = "BN254 Fp"
    case bn254Scalar = "BN254 Fr"
    case bnp256Base = "BNP256 Fp"
    case bnp256Scalar = "BNP256 Fr"

    /// Runs every operation on two operands of 48 bytes each and overwrites them with results.
    package func exercise(_ operands: UnsafeMutableRawBufferPointer) {
        switch self {
        case .bls12381Base: Self.quadratic(BLS12381Fp.self, operands)
        case .bls12381Scalar: Self.prime(BLS12381Fr.self, operands)
        case .bn254Base: Self.quadratic(BN254Fp.self, operands)
        case .bn254Scalar: Self.prime(BN254Fr.self, operands)
        case .bnp256Base: Self.quadratic(BNP256Fp.self, operands)
        case .bnp256Scalar: Self.prime(BNP256Fr.self, operands)
        }
    }

    /// Chains `count` multiplications; the result only keeps them from being dropped.
    package func multiply(count: Int) -> UInt64 {
        switch self {
        case .bls12381Base: Self.chain(BLS12381Fp.self, count)
        case .bls12381Scalar: Self.chain(BLS12381Fr.self, count)
        case .bn254Base: Self.chain(BN254Fp.self, count)
        case .bn254Scalar: Self.chain(BN254Fr.self, count)
        case .bnp256Base: Self.chain(BNP256Fp.self, count)
        case .bnp256Scalar: Self.chain(BNP256Fr.self, count)
        }
    }

    private static func chain<F: PrimeField>(_: F.Type, _ count: Int) -> UInt64 {
        var x = F.radixSquared
        let y = F.radixCubed
        for _ in 0..<count { x = x * y }
        return x.l0
    }

    private static func load<F: PrimeField>(
        _: F.Type, _ operands: UnsafeMutableRawBufferPointer
    ) -> (UnsafeMutableRawPointer, F, F) {
        precondition(operands.count == 96, "two operands of 48 bytes")
        let base = operands.baseAddress.unsafelyUnwrapped
        return (
            base, F.loadRaw(littleEndian: UnsafeRawPointer(base)).montgomery,
            F.loadRaw(littleEndian: UnsafeRawPointer(base + 48)).montgomery
        )
    }

    private static func prime<F: PrimeField>(_: F.Type, _ operands: UnsafeMutableRawBufferPointer) {
        let (base, a, b) = load(F.self, operands)
        let uniform = F.reduce(bigEndian64: UnsafeRawBufferPointer(rebasing: operands[..<64]))
        let sums = (a + b) * (a - b) - a.squared + b.squared + uniform
        let masks = sums.isZeroMask & a.equalMask(b) & a.belowModulusMask & b.canonical.aboveHalfMask
        let chosen = F.select(masks, a.halved, b.inverse).negated(where: a.canonical.aboveHalfMask)
        chosen.canonical.storeRaw(littleEndian: base)
        (chosen + sums).canonical.storeRaw(bigEndian: base + 48)
    }

    private static func quadratic<F: PairingBaseField>(_: F.Type, _ operands: UnsafeMutableRawBufferPointer) {
        let (base, a, b) = load(F.self, operands)
        prime(F.self, operands)
        let x = Fp2(a, b)
        let y = (x * x.conjugate + x.squared.timesXi - x.doubled).triple(minusTwice: x)
        let z = Fp2<F>.wideProduct(x, y).timesXi.reduced + y.inverse.scaled(by: a)
        let chosen = Fp2.select(z.isZeroMask | x.equalMask(y), x, z)
        chosen.c0.canonical.storeRaw(littleEndian: base)
        chosen.c1.canonical.storeRaw(littleEndian: base + 48)
    }
}

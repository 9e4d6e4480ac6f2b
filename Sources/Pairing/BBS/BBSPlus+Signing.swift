extension BBSPlus {
    /// Signs a list of messages, each of any length.
    ///
    /// The secret key is used in constant time; the messages are not protected against timing.
    ///
    /// - Parameters:
    ///   - generators: of the public key that belongs to `secretKey`, for exactly this number of messages.
    ///   - generator: 64 bytes are asked for e and again for s.
    /// - Throws: `.invalidCount`, `.wrongLength`, `.scalarOutOfRange`, `.randomnessUnusable`, or what `generator` throws.
    public static func sign(
        _ messages: [[UInt8]], secretKey: UnsafeRawBufferPointer, generators: BBSGenerators,
        from generator: Generator
    ) throws -> BBSSignature {
        guard messages.count == generators.messageCount else { throw PairingError.invalidCount }
        try SecretScalar<BLS12381Fr>.check(secretKey, bigEndian: true)
        for _ in 0..<4 {
            let e = Scalar(try randomScalar(from: generator))
            let s = Scalar(try randomScalar(from: generator))
            let b = commitment(messages.map(hashToScalar), blinding: s, generators: generators)
            let a = signaturePoint(BLS12381.G1Point(b), e: e, checkedKey: secretKey)
            // Infinity means e = -x.
            if !a.isInfinity { return BBSSignature(a: a, e: e, s: s) }
        }
        throw PairingError.randomnessUnusable
    }

    /// e(A, w + e·P2) = e(B, P2), as e(A, w)·e(e·A - B, P2) = 1.
    public static func verify(_ signature: BBSSignature, messages: [[UInt8]], generators: BBSGenerators) -> Bool {
        verify(signature, scalars: messages.map(hashToScalar), generators: generators)
    }

    /// The same for messages hashed already.
    static func verify(_ signature: BBSSignature, scalars: [Scalar], generators: BBSGenerators) -> Bool {
        guard scalars.count == generators.messageCount, !signature.a.isInfinity else { return false }
        let b = commitment(scalars, blinding: signature.s, generators: generators)
        let other = signature.a.point.multipliedVariableTime(by: signature.e.words) - b
        return BLS12381.productIsOne([
            (signature.a.point.affineVariableTime, generators.publicKey.prepared),
            (other.affineVariableTime, BLS12381.preparedGenerator),
        ])
    }

    /// B = P1 + s·h₀ + Σ mᵢ·hᵢ, in variable time.
    static func commitment(
        _ messages: [Scalar], blinding: Scalar, generators: BBSGenerators
    ) -> Point<BLS12381.G1Curve> {
        var terms = [(generators.blinding, blinding.words)]
        terms += zip(generators.messages, messages).map { ($0, $1.words) }
        return Point.sumVariableTime(terms) + .generator
    }

    /// A = 1/(x + e)·B in constant time, for a key known to be in range; the constant-time harness enters here.
    package static func signaturePoint(
        _ b: BLS12381.G1Point, e: Scalar, checkedKey: UnsafeRawBufferPointer
    ) -> BLS12381.G1Point {
        precondition(checkedKey.count == 32, "a checked key has 32 bytes")
        SecretScalar<BLS12381Fr>.requireChecked(checkedKey, bigEndian: true)
        let x = BLS12381Fr.loadRaw(bigEndian: checkedKey.baseAddress.unsafelyUnwrapped).montgomery
        return BLS12381.G1Point(Point(multiply(b.point, by: (x + e.value).inverse).affine))
    }

    /// Multiplies by a secret element of the scalar field.
    static func multiply(_ point: Point<BLS12381.G1Curve>, by scalar: BLS12381Fr) -> Point<BLS12381.G1Curve> {
        withUnsafeTemporaryAllocation(byteCount: 32, alignment: 8) { scratch in
            defer { wipe(scratch) }
            scalar.canonical.storeRaw(bigEndian: scratch.baseAddress.unsafelyUnwrapped)
            return point.multiplied(bySecret: UnsafeRawBufferPointer(scratch), bigEndian: true)
        }
    }
}

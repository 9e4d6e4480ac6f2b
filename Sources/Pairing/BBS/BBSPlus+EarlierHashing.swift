/// The hashing of earlier releases, kept to tell why a signature of theirs is refused, and for nothing else: nothing that
/// holds by it is ever accepted.
///
/// They lost a carry while they reduced the low 256 bits of a digest from about 0.55·2^256 upwards, for one message in
/// twelve: such messages went into signatures as a scalar that no other implementation makes of them.
extension BBSPlus {
    /// Whether a signature that does not verify would if its messages were hashed as earlier releases did.
    ///
    /// Costs a second verification, and only where one of the messages is affected.
    public static func verifiesByEarlierHashing(
        _ signature: BBSSignature, messages: [[UInt8]], generators: BBSGenerators
    ) -> Bool {
        let scalars = messages.map(EarlierHashing.scalar)
        guard zip(scalars, messages).contains(where: { $0 != hashToScalar($1) }) else { return false }
        return verify(signature, scalars: scalars, generators: generators)
    }

    enum EarlierHashing {
        /// As ``BBSPlus/hashToScalar(_:)`` should not have been.
        static func scalar(_ message: [UInt8]) -> Scalar {
            let digest = BLAKE2b.hash(message, outputLength: 48)
            let high = BLS12381Fr(reducingBigEndian: digest.prefix(16))
            let low = digest.suffix(32).withUnsafeBytes {
                BLS12381Fr.loadRaw(bigEndian: $0.baseAddress.unsafelyUnwrapped)
            }
            return Scalar(high * .twoTo256 + toMontgomery(low))
        }

        /// The product with R² that took the unreduced integer as the factor which must be reduced.
        private static func toMontgomery(_ integer: BLS12381Fr) -> BLS12381Fr {
            func limbs(_ x: BLS12381Fr) -> [UInt64] { [x.l0, x.l1, x.l2, x.l3] }
            let (x, y, p) = (limbs(integer), limbs(.radixSquared), BLS12381Fr.modulus)
            var t: [UInt64] = [0, 0, 0, 0]
            for digit in y {
                var (a, c): (UInt64, UInt64)
                (a, t[0]) = multiplyAdd(t[0], x[0], digit, 0)
                let m = t[0] &* 0xffff_fffe_ffff_ffff
                (c, _) = multiplyAdd(t[0], m, p[0], 0)
                for j in 1..<4 {
                    (a, t[j]) = multiplyAdd(t[j], x[j], digit, a)
                    (c, t[j - 1]) = multiplyAdd(t[j], m, p[j], c)
                }
                t[3] = c &+ a  // here the carry is lost
            }
            let sum = BLS12381Fr(t[0], t[1], t[2], t[3])
            let (difference, clear) = sum.rawDifference(.rawModulus)
            // What is left is below the modulus but for a chance of about 2^-64; 0 then, which matches no signature.
            let result = clear != 0 ? difference : sum
            return result.belowModulusMask != 0 ? result : .zero
        }
    }
}

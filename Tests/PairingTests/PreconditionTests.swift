import Testing

@testable import Pairing

/// What the functions of fields and curves rely on is checked in debug builds.
@Suite(.timeLimit(.minutes(10))) struct PreconditionTests {
    static var allOnes: BLS12381Fr { BLS12381Fr(~0, ~0, ~0, ~0) }

    @Test func aFirstFactorAboveTheModulusIsCaught() async {
        await #expect(processExitsWith: .failure) { _ = Self.allOnes * .radixSquared }
    }

    @Test func sumsAndDifferencesOfUnreducedLimbsAreCaught() async {
        await #expect(processExitsWith: .failure) { _ = Self.allOnes + .one }
        await #expect(processExitsWith: .failure) { _ = BLS12381Fr.one - Self.allOnes }
        await #expect(processExitsWith: .failure) { _ = Self.allOnes.halved }
        await #expect(processExitsWith: .failure) { _ = Self.allOnes.inverseVariableTime }
        await #expect(processExitsWith: .failure) { _ = BN254Fp.unreducedSum(.rawModulus, .one) }
    }

    @Test func leavingTheMontgomeryFormUnreducedIsCaught() async {
        await #expect(processExitsWith: .failure) { _ = Self.allOnes.canonical }
    }

    @Test func doubleWidthIntegersBeyondTheirBoundAreCaught() async {
        await #expect(processExitsWith: .failure) {
            let last = BN254Fp.rawModulus.rawDifference(BN254Fp(1, 0, 0, 0)).0
            let most = BN254Fp.unreducedSum(last, last)
            let product = BN254FpWide.product(most, most)
            _ = product &+ product
        }
        await #expect(processExitsWith: .failure) {
            _ = BN254FpWide.product(.zero, .one) &- BN254FpWide.product(.one, .one)
        }
        await #expect(processExitsWith: .failure) { _ = BN254FpWide(0, 0, 0, 0, ~0, ~0, ~0, ~0).reduced }
    }

    @Test func masksThatSelectPartsAreCaught() async {
        await #expect(processExitsWith: .failure) { _ = BLS12381Fr.select(1, .one, .zero) }
    }

    @Test func pointsOutsideTheirGroupAreCaught() async {
        await #expect(processExitsWith: .failure) {
            _ = BLS12381.G1Point(Point<BLS12381.G1Curve>(.one, .one, .one))
        }
        // (0, 2) is on the curve and has order 3.
        #expect(Point<BLS12381.G1Curve>(.zero, .one.doubled, .one).isOnCurve)
        await #expect(processExitsWith: .failure) {
            _ = BLS12381.G1Point(Point<BLS12381.G1Curve>(.zero, .one.doubled, .one))
        }
        await #expect(processExitsWith: .failure) {
            _ = PreparedG2<BN254>(AffinePoint<BN254.G2Curve>(.one, .one, infinityMask: 0))
        }
    }

    @Test func secretsThatWereNotCheckedAreCaught() async {
        await #expect(processExitsWith: .failure) {
            let key = [UInt8](repeating: 0xff, count: 32)
            _ = key.withUnsafeBytes { BLSMinSig.publicKey(ofChecked: $0) }
        }
    }

    @Test func reductionsOfAnotherLengthAreCaught() async {
        await #expect(processExitsWith: .failure) {
            _ = [UInt8](repeating: 1, count: 63).withUnsafeBytes { BLS12381Fr.reduce(bigEndian64: $0) }
        }
        await #expect(processExitsWith: .failure) { _ = Fp12<BN254Fp>.one.cyclotomicPower(0) }
    }
}

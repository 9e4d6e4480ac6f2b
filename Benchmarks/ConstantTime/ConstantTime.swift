import CValgrind
import Pairing

/// Runs one operation on secrets that memcheck holds to be undefined: a branch or an address that depends on one is an
/// error of memcheck. `scripts/constant-time` runs every case, and expects the deliberately leaky ones to be caught.
@main
enum ConstantTime {
    struct Case: Sendable {
        let name: String
        let leaks: Bool
        let run: @Sendable () -> Void

        init(_ name: String, leaks: Bool = false, _ run: @escaping @Sendable () -> Void) {
            self.name = name
            self.leaks = leaks
            self.run = run
        }
    }

    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        if arguments.first == "--list" {
            for entry in cases { print("\(entry.leaks ? "leaky" : "clean") \(entry.name)") }
            return
        }
        guard kms_under_valgrind() != 0 else { return fail("not running under valgrind, or built without its header") }
        guard let name = arguments.first, let entry = cases.first(where: { $0.name == name }) else {
            return fail("name one case of --list")
        }
        entry.run()
    }

    static func fail(_ message: String) {
        print(message)
        exitWithFailure()
    }

    static let cases: [Case] = fieldCases + secretCases + latticeCases + leakyCases

    static let fieldCases = FieldProbe.allCases.map { probe in
        Case("field-\(probe)") { withSecret(96) { probe.exercise($0) } }
    }

    static let secretCases = [
        Case("bn254-sign") { withSecretKey { BLS0Chain.sign(point: .generator, checkedKey: $0) } },
        Case("bn254-public-key") { withSecretKey { BLS0Chain.publicKey(ofChecked: $0) } },
        Case("bnp256-sign") { withSecretKey { BLSBNP256.sign(point: .generator, checkedKey: $0) } },
        Case("bnp256-public-key") { withSecretKey { BLSBNP256.publicKey(ofChecked: $0) } },
        Case("bls12381-sign-g1") { withSecretKey { BLSMinSig.sign(point: .generator, checkedKey: $0) } },
        Case("bls12381-sign-g2") { withSecretKey { BLSMinPK.sign(point: .generator, checkedKey: $0) } },
        Case("bls12381-public-key-g2") { withSecretKey { BLSMinSig.publicKey(ofChecked: $0) } },
        Case("bbs-sign") {
            withSecretKey { BBSPlus.signaturePoint(.generator, e: BLS12381.Scalar(7), checkedKey: $0) }
        },
        Case("bbs-prove") { withSecret(96) { publish(BBSPlus.exerciseProver(UnsafeRawBufferPointer($0))) } },
    ]

    /// What the harness must catch, or it proves nothing.
    static let leakyCases = [
        Case("leaky-branch", leaks: true) {
            withSecret(32) { secret in
                var ones = 0
                for byte in secret where byte & 1 != 0 { ones = step(ones) }
                publish(ones)
            }
        },
        Case("leaky-index", leaks: true) {
            let table = (0..<256).map { UInt8(truncatingIfNeeded: $0 * 7) }
            withSecret(32) { secret in
                let sum = secret.reduce(UInt8(0)) { $0 ^ table[Int($1)] }
                publish(sum)
            }
        },
    ]

    /// Lends poisoned memory and makes it defined again, because results are published.
    static func withSecret(_ count: Int, _ body: (UnsafeMutableRawBufferPointer) -> Void) {
        var bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) & 0x1f }
        bytes.withUnsafeMutableBytes { buffer in
            kms_poison(buffer.baseAddress, buffer.count)
            body(buffer)
            kms_unpoison(buffer.baseAddress, buffer.count)
        }
    }

    static func withSecretKey<Result>(_ operation: (UnsafeRawBufferPointer) -> Result) {
        withSecret(32) { publish(operation(UnsafeRawBufferPointer($0))) }
    }

    /// A result leaves as public data: defined from here on.
    @inline(never)
    static func publish<Result>(_ value: Result) {
        var copy = value
        withUnsafeMutableBytes(of: &copy) { kms_unpoison($0.baseAddress, $0.count) }
    }

    /// Opaque, so that the leaky loop keeps its branch.
    @inline(never) @_optimize(none)
    static func step(_ value: Int) -> Int { value + 1 }
}

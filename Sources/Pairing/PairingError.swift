/// Why an encoding, a scalar or an input was refused. It never carries the refused bytes.
public enum PairingError: Error, Equatable, Sendable {
    /// The input does not have the length its format fixes.
    case wrongLength(expected: Int, actual: Int)
    /// Flag bits contradict the format, or bits that must be 0 are set.
    case invalidFlags
    /// A coordinate or a scalar is not below its modulus.
    case notCanonical
    /// The coordinates do not satisfy the curve equation.
    case notOnCurve
    /// The point is on the curve but not in the subgroup of order r.
    case notInSubgroup
    /// The point at infinity where a proper point is required.
    case infinity
    /// A secret scalar outside 1 ... r - 1.
    case scalarOutOfRange
    /// A domain-separation tag longer than 255 bytes, an output too long, or a value the map excludes.
    case invalidHashInput
    /// Numbers of messages, indexes or shares that do not fit together.
    case invalidCount
    /// A signature or proof that does not verify, where a valid one is required.
    case verificationFailed
    /// The caller's generator gave no usable randomness.
    case randomnessUnusable
}

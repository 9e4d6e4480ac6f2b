import Encodings

/// Curves that tokens take by explicit parameters (SEC 1, C.2) because no object identifier names them.
package enum PairingParameters {
    /// CurveFp254BNb: y² = x³ + 2, generator (-1, 1), prime order, cofactor 1.
    package static let bn254 = bytes(
        "3081de020101302b06072a8648ce3d01010220" + "2523648240000001ba344d80000000086121000000000013a700000000000013"
            + "304404200000000000000000000000000000000000000000000000000000000000000000"
            + "04200000000000000000000000000000000000000000000000000000000000000002"
            + "0441042523648240000001ba344d80000000086121000000000013a700000000000012"
            + "0000000000000000000000000000000000000000000000000000000000000001"
            + "02202523648240000001ba344d8000000007ff9f800000000010a10000000000000d020101")

    private static func bytes(_ hexadecimal: String) -> [UInt8] {
        guard let bytes = Hexadecimal.decode(hexadecimal) else {
            preconditionFailure("a constant of ours is hexadecimal")
        }
        return bytes
    }
}

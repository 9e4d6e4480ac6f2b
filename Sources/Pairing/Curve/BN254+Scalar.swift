extension BN254 {
    /// A public integer modulo r. Secret scalars stay in the caller's buffers and never become one of these.
    public struct Scalar: Sendable, Equatable {
        let value: BN254Fr

        init(_ value: BN254Fr) { self.value = value }

        public init(_ integer: UInt64) { value = BN254Fr(integer: integer) }

        /// Reads 32 little-endian bytes.
        ///
        /// - Throws: `.wrongLength`; `.notCanonical` from r upwards.
        public init(littleEndian bytes: some Collection<UInt8>) throws(PairingError) {
            guard bytes.count == 32 else { throw .wrongLength(expected: 32, actual: bytes.count) }
            guard let value = BN254Fr(littleEndian: bytes) else { throw .notCanonical }
            self.value = value
        }

        /// 32 bytes, little-endian.
        public var littleEndian: [UInt8] { value.littleEndianBytes }

        public static func + (x: Scalar, y: Scalar) -> Scalar { Scalar(x.value + y.value) }
        public static func * (x: Scalar, y: Scalar) -> Scalar { Scalar(x.value * y.value) }
    }
}

extension BLS12381 {
    /// A public integer modulo r. Secret scalars stay in the caller's buffers and never become one of these.
    public struct Scalar: Sendable, Equatable {
        let value: BLS12381Fr

        init(_ value: BLS12381Fr) { self.value = value }

        public init(_ integer: UInt64) { value = BLS12381Fr(integer: integer) }

        /// Reads 32 big-endian bytes.
        ///
        /// - Throws: `.wrongLength`; `.notCanonical` from r upwards.
        public init(bigEndian bytes: some Collection<UInt8>) throws(PairingError) {
            guard bytes.count == 32 else { throw .wrongLength(expected: 32, actual: bytes.count) }
            guard let value = BLS12381Fr(bigEndian: bytes) else { throw .notCanonical }
            self.value = value
        }

        /// 32 bytes, big-endian.
        public var bigEndian: [UInt8] { value.bigEndianBytes }

        public static func + (x: Scalar, y: Scalar) -> Scalar { Scalar(x.value + y.value) }

        /// The integer, least significant word first.
        var words: [UInt64] { value.publicWords }
    }
}

public import SecretMemory

/// Bytes written as hexadecimal digits; white space is ignored, anything else stops the test that used it.
public func hex(_ text: String) -> [UInt8] {
    let digits = text.unicodeScalars.filter { !$0.properties.isWhitespace }.map { scalar -> UInt8 in
        guard let value = Character(scalar).hexDigitValue else { preconditionFailure("not hexadecimal: \(text)") }
        return UInt8(value)
    }
    precondition(digits.count % 2 == 0, "half a byte: \(text)")
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

/// A secret with known bytes, for vectors only.
public func secret(_ bytes: [UInt8]) throws -> SecretBytes {
    try bytes.span.withUnsafeBytes { bytes in try SecretBytes(copying: bytes) }
}

/// The bytes of a secret, for comparing with a vector.
public func reveal(_ secret: borrowing SecretBytes) -> [UInt8] {
    secret.withUnsafeBytes { Array($0) }
}

internal import CLibCrypto
import SecretMemory

/// A private number of a group, in OpenSSL's secure heap, wiped on release.
struct SecretScalar: ~Copyable {
    private let number: OpaquePointer
    private let group: NamedGroup

    private init(owning number: OpaquePointer, in group: NamedGroup) {
        self.number = number
        self.group = group
    }

    /// Reads a big-endian number of exactly the group's length.
    ///
    /// - Throws: `.invalidInput` unless 0 < number < order.
    static func reading(
        _ bytes: UnsafeRawBufferPointer, in group: NamedGroup
    ) throws(LibCryptoError) -> SecretScalar {
        guard bytes.count == group.fieldLength else {
            throw LibCryptoError(.invalidInput, "The private key must have \(group.fieldLength) bytes.")
        }
        let object = try OpenSSL.check("EC_GROUP_new_by_curve_name", group.object)
        let order = try OpenSSL.check("EC_GROUP_get0_order", EC_GROUP_get0_order(object))
        // From here a throw runs `deinit`, which wipes.
        let scalar = SecretScalar(owning: try OpenSSL.check("BN_secure_new", BN_secure_new()), in: group)
        BN_set_flags(scalar.number, BN_FLG_CONSTTIME)
        _ = try OpenSSL.check("BN_bin2bn", BN_bin2bn(bytes.bytes, Int32(bytes.count), scalar.number))
        guard BN_is_zero(scalar.number) == 0, BN_cmp(scalar.number, order) < 0 else {
            throw LibCryptoError(.invalidInput, "The private key is not in the range of its curve.")
        }
        return scalar
    }

    deinit { BN_clear_free(number) }

    /// The number in this machine's byte order, as OpenSSL's parameters want it.
    borrowing func nativeBytes() throws(LibCryptoError) -> SecretBytes {
        let number = self.number
        return try SecretBytes.filled(group.fieldLength) { output throws(LibCryptoError) in
            try OpenSSL.check("BN_bn2nativepad", BN_bn2nativepad(number, output.bytes, Int32(output.count)))
        }
    }

    /// The base point times this number, as 0x04 ‖ X ‖ Y. OpenSSL's multiplication of the base point by one number flagged
    /// constant-time takes no branch on it.
    borrowing func publicPoint() throws(LibCryptoError) -> [UInt8] {
        let object = try OpenSSL.check("EC_GROUP_new_by_curve_name", group.object)
        let point = try OpenSSL.check("EC_POINT_new", EC_POINT_new(object))
        defer { EC_POINT_clear_free(point) }
        let scratch = try OpenSSL.check("BN_CTX_secure_new", BN_CTX_secure_new())
        defer { BN_CTX_free(scratch) }
        try OpenSSL.check("EC_POINT_mul", EC_POINT_mul(object, point, number, nil, nil, scratch))
        return try [UInt8].filled(1 + 2 * group.fieldLength) { output throws(LibCryptoError) in
            let written = EC_POINT_point2oct(
                object, point, POINT_CONVERSION_UNCOMPRESSED, output.bytes, output.count, scratch)
            try OpenSSL.check("EC_POINT_point2oct", written == output.count ? 1 : 0)
        }
    }
}

import CP11Kit
import Pairing

/// One multiplication on CurveFp254BNb as a C program would ask for it.
struct LoopMultiplication {
    private var point = BN254.G1Point.generator.uncompressedBigEndian ?? []
    private var product = [UInt8](repeating: 0, count: 32)

    mutating func run(_ module: BareModule, _ session: CK_SESSION_HANDLE, _ key: CK_OBJECT_HANDLE) throws {
        var object: CK_OBJECT_HANDLE = 0
        try BenchError.check("C_DeriveKey", derive(module, session, key, &object))
        let read = product.withUnsafeMutableBytes { product in
            var value = Self.attribute(CKA_VALUE, product)
            return module.functions.pointee.C_GetAttributeValue(session, object, &value, 1)
        }
        try BenchError.check("C_GetAttributeValue", read)
        try BenchError.check("C_DestroyObject", module.functions.pointee.C_DestroyObject(session, object))
    }

    private mutating func derive(
        _ module: BareModule, _ session: CK_SESSION_HANDLE, _ key: CK_OBJECT_HANDLE, _ object: inout CK_OBJECT_HANDLE
    ) -> CK_RV {
        var (secretKey, generic, length) = (CK_ULONG(CKO_SECRET_KEY), CK_ULONG(CKK_GENERIC_SECRET), CK_ULONG(32))
        var (yes, no) = (CK_BBOOL(CK_TRUE), CK_BBOOL(CK_FALSE))
        return withUnsafeMutableBytes(of: &secretKey) { secretKey in
            withUnsafeMutableBytes(of: &generic) { generic in
                withUnsafeMutableBytes(of: &length) { length in
                    withUnsafeMutableBytes(of: &yes) { yes in
                        withUnsafeMutableBytes(of: &no) { no in
                            var template = [
                                Self.attribute(CKA_CLASS, secretKey), Self.attribute(CKA_KEY_TYPE, generic),
                                Self.attribute(CKA_TOKEN, no), Self.attribute(CKA_PRIVATE, yes),
                                Self.attribute(CKA_SENSITIVE, no), Self.attribute(CKA_EXTRACTABLE, yes),
                                Self.attribute(CKA_VALUE_LEN, length),
                            ]
                            return call(module, session, key, &template, &object)
                        }
                    }
                }
            }
        }
    }

    private mutating func call(
        _ module: BareModule, _ session: CK_SESSION_HANDLE, _ key: CK_OBJECT_HANDLE, _ template: inout [CK_ATTRIBUTE],
        _ object: inout CK_OBJECT_HANDLE
    ) -> CK_RV {
        point.withUnsafeMutableBufferPointer { point in
            var parameters = CK_ECDH1_DERIVE_PARAMS()
            parameters.kdf = CK_ULONG(CKD_NULL)
            parameters.ulPublicDataLen = CK_ULONG(point.count)
            parameters.pPublicData = point.baseAddress
            return withUnsafeMutablePointer(to: &parameters) { parameters in
                var mechanism = CK_MECHANISM(
                    mechanism: CK_MECHANISM_TYPE(CKM_ECDH1_DERIVE), pParameter: parameters,
                    ulParameterLen: CK_ULONG(MemoryLayout<CK_ECDH1_DERIVE_PARAMS>.size))
                return module.functions.pointee.C_DeriveKey(
                    session, &mechanism, key, &template, CK_ULONG(template.count), &object)
            }
        }
    }

    private static func attribute(_ type: UInt, _ bytes: UnsafeMutableRawBufferPointer) -> CK_ATTRIBUTE {
        CK_ATTRIBUTE(type: CK_ATTRIBUTE_TYPE(type), pValue: bytes.baseAddress, ulValueLen: CK_ULONG(bytes.count))
    }
}

import CP11Kit
import Token

/// Key management (PKCS #11 2.40 base, 5.13).
extension Session {
    borrowing func generateKey(_ mechanism: MechanismType, _ template: KeyTemplate) throws(HSMError) -> ObjectHandle {
        guard template.flag(.private) == true else {
            throw HSMError(.invalidArgument, "A secret key must be a private object.")
        }
        var key = ObjectHandle()
        try template.withCAttributesThrowing { (attributes, count) throws(HSMError) in
            try call("C_GenerateKey") { functions, handle in
                Mechanism.plain(mechanism).withCMechanism {
                    functions.pointee.C_GenerateKey(handle, $0, attributes, count, &key)
                }
            }
        }
        return key
    }

    borrowing func generateKeyPair(
        _ mechanism: MechanismType, publicKey: KeyTemplate, privateKey: KeyTemplate
    ) throws(HSMError) -> (publicKey: ObjectHandle, privateKey: ObjectHandle) {
        guard privateKey.flag(.private) == true else {
            throw HSMError(.invalidArgument, "A private key must be a private object.")
        }
        var publicHandle = ObjectHandle()
        var privateHandle = ObjectHandle()
        try publicKey.withCAttributesThrowing { (publicAttributes, publicCount) throws(HSMError) in
            try privateKey.withCAttributesThrowing { (privateAttributes, privateCount) throws(HSMError) in
                try call("C_GenerateKeyPair") { functions, handle in
                    Mechanism.plain(mechanism).withCMechanism {
                        functions.pointee.C_GenerateKeyPair(
                            handle, $0, publicAttributes, publicCount, privateAttributes, privateCount, &publicHandle,
                            &privateHandle)
                    }
                }
            }
        }
        return (publicHandle, privateHandle)
    }

    /// Wraps a key under another one, inside the token.
    borrowing func wrap(
        _ key: ObjectHandle, under wrappingKey: ObjectHandle, _ mechanism: MechanismType
    ) throws(HSMError) -> [UInt8] {
        try wrap(key, under: wrappingKey, .plain(mechanism))
    }

    /// ``wrap(_:under:_:)`` by a mechanism with a parameter.
    borrowing func wrap(
        _ key: ObjectHandle, under wrappingKey: ObjectHandle, _ mechanism: Mechanism
    ) throws(HSMError) -> [UInt8] {
        var wrapped = [UInt8](repeating: 0, count: Self.longestWrappedKey)
        var length = CK_ULONG(wrapped.count)
        try call("C_WrapKey") { functions, handle in
            mechanism.withCMechanism {
                functions.pointee.C_WrapKey(handle, $0, wrappingKey, key, &wrapped, &length)
            }
        }
        guard length > 0, length <= CK_ULONG(wrapped.count) else {
            throw HSMError(.deviceFailure, "The token returned a wrapped key of \(length) bytes.")
        }
        return Array(wrapped.prefix(Int(length)))
    }

    /// Wraps an extractable key and destroys it, also if it could not be wrapped.
    borrowing func wrapAway(_ original: ObjectHandle, under wrappingKey: ObjectHandle) throws(HSMError) -> [UInt8] {
        let wrapped: [UInt8]
        do throws(HSMError) {
            wrapped = try wrap(original, under: wrappingKey, .aesKeyWrapPad)
        } catch {
            // The session may be poisoned, but destruction needs no operation; at worst the key dies with the session,
            // which its thread closes after this error.
            try? destroy(original)
            throw error
        }
        try destroy(original)
        return wrapped
    }

    /// Unwraps a key; the template says what the token must enforce for it.
    borrowing func unwrap(
        _ wrapped: [UInt8], under unwrappingKey: ObjectHandle, _ mechanism: MechanismType, _ template: KeyTemplate
    ) throws(HSMError) -> ObjectHandle {
        try unwrap(wrapped, under: unwrappingKey, .plain(mechanism), template)
    }

    /// ``unwrap(_:under:_:_:)`` by a mechanism with a parameter.
    borrowing func unwrap(
        _ wrapped: [UInt8], under unwrappingKey: ObjectHandle, _ mechanism: Mechanism, _ template: KeyTemplate
    ) throws(HSMError) -> ObjectHandle {
        try refuseUnguarded(template)
        guard !wrapped.isEmpty, wrapped.count <= Self.longestWrappedKey else {
            throw HSMError(.authenticationFailed, "The wrapped key cannot be opened.")
        }
        var key = ObjectHandle()
        try template.withCAttributesThrowing { (attributes, count) throws(HSMError) in
            try call("C_UnwrapKey") { functions, handle in
                mechanism.withCMechanism { mechanism in
                    wrapped.withNonNullBytes {
                        functions.pointee.C_UnwrapKey(
                            handle, mechanism, unwrappingKey, $0.baseAddress, CK_ULONG($0.count), attributes, count,
                            &key)
                    }
                }
            }
        }
        return key
    }

    /// Multiplies a point by a private key (ECDH) into a new key object.
    borrowing func derive(
        _ privateKey: ObjectHandle, point: [UInt8], _ template: KeyTemplate
    ) throws(HSMError) -> ObjectHandle {
        var key = ObjectHandle()
        try template.withCAttributesThrowing { (attributes, count) throws(HSMError) in
            try call("C_DeriveKey") { functions, handle in
                Mechanism.ecdh(point: point).withCMechanism {
                    functions.pointee.C_DeriveKey(handle, $0, privateKey, attributes, count, &key)
                }
            }
        }
        return key
    }

    /// More than the PKCS #8 of an RSA-8192 key.
    private static var longestWrappedKey: Int { 8192 }
}

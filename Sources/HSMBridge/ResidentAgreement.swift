import CP11Kit
public import SecretMemory
public import Token

extension PKCS11Token {
    public func agree(with peer: [UInt8], key: ResidentKeyBlob) async throws(HSMError) -> SharedSecret {
        guard let curve = key.algorithm.curve, key.algorithm.isAgreement else { throw Self.wrongUse(key, "agree") }
        guard peer.count == curve.pointLength, peer[0] == 4 else {
            throw HSMError(.invalidArgument, "A public key on \(curve.name) has \(curve.pointLength) bytes.")
        }
        return try await use(key) { (session, handle) throws(HSMError) in
            try session.agree(handle, with: peer, on: curve)
        }
    }
}

extension Session {
    /// The x coordinate of a common point, read from the token into locked memory; nothing of it stays there.
    ///
    /// CKD_NULL: tokens do not know the key derivation of JOSE, so it happens here.
    borrowing func agree(
        _ privateKey: ObjectHandle, with point: [UInt8], on curve: EllipticCurve
    ) throws(HSMError) -> SharedSecret {
        let object = try derive(
            privateKey, point: point,
            [
                .objectClass(.secretKey), .keyType(.genericSecret), .flag(.token, false), .flag(.private, true),
                .flag(.sensitive, false), .flag(.extractable, true),
                .number(.valueLength, UInt(curve.coordinateLength)),
            ])
        let value: SharedSecret
        do throws(HSMError) {
            value = try secretValue(of: object, count: curve.coordinateLength)
        } catch {
            try? destroy(object)
            throw error
        }
        try destroy(object)
        return value
    }

    /// Whether a private key is the public key's: both agree with a pair made for this on the same secret.
    borrowing func agrees(
        _ privateKey: ObjectHandle, publicKey: [UInt8], on curve: EllipticCurve
    ) throws(HSMError) -> Bool {
        let pair = try generateEphemeralPair(on: curve)
        defer {
            try? destroy(pair.publicKey)
            try? destroy(pair.privateKey)
        }
        guard let point = try attribute(.ecPoint, of: pair.publicKey).flatMap(curve.point(fromAttribute:)) else {
            throw HSMError(.deviceFailure, "The token does not show the point of a public key.")
        }
        let one = try agree(privateKey, with: point, on: curve)
        let other = try agree(pair.privateKey, with: publicKey, on: curve)
        return one.withSecret { one in other.withSecret { one.constantTimeEquals($0) } }
    }

    /// A pair that only agrees, for one use; the caller destroys it.
    borrowing func generateEphemeralPair(
        on curve: EllipticCurve
    ) throws(HSMError) -> (publicKey: ObjectHandle, privateKey: ObjectHandle) {
        try generateKeyPair(
            .ecKeyPairGeneration,
            publicKey: [.flag(.token, false), .flag(.private, false), .bytes(.ecParameters, curve.parameters)],
            privateKey: [
                .flag(.token, false), .flag(.private, true), .flag(.sensitive, true), .flag(.extractable, false),
                .flag(.derive, true), .flag(.sign, false), .allowedMechanisms([.ecdh1Derive]),
            ])
    }

    /// Decrypts into locked memory what must have exactly `count` bytes.
    ///
    /// - Throws: `.authenticationFailed` without a cause for another length, or what the module said.
    borrowing func decryptSecret(
        _ mechanism: Mechanism, key: ObjectHandle, _ data: [UInt8], count: Int
    ) throws(HSMError) -> SharedSecret {
        try call("C_DecryptInit") { functions, handle in
            mechanism.withCMechanism { functions.pointee.C_DecryptInit(handle, $0, key) }
        }
        // Some modules ask for as much room as they get bytes.
        var length = CK_ULONG(data.count)
        var value = ReturnValue.ok
        let secret: SharedSecret
        do {
            secret = SharedSecret(
                try SecretBytes.make(capacity: data.count) { output in
                    value = result(of: "C_Decrypt") { functions, handle in
                        data.withNonNullBytes {
                            functions.pointee.C_Decrypt(
                                handle, $0.baseAddress, CK_ULONG($0.count),
                                output.bindMemory(to: UInt8.self).baseAddress, &length)
                        }
                    }
                    return value == .ok ? min(Int(length), output.count) : 0
                })
        } catch {
            throw HSMError(.overloaded, "No locked memory for a secret: \(error).")
        }
        guard value == .ok else { throw HSMError.returned(value, by: "C_Decrypt") }
        guard length == CK_ULONG(count) else { throw HSMError.notAuthentic }
        return secret
    }

    /// CKA_VALUE of exactly `count` bytes.
    private borrowing func secretValue(of object: ObjectHandle, count: Int) throws(HSMError) -> SharedSecret {
        var attribute = CK_ATTRIBUTE(type: AttributeType.value.rawValue, pValue: nil, ulValueLen: CK_ULONG(count))
        var read = ReturnValue.ok
        let secret: SharedSecret
        do {
            secret = SharedSecret(
                try SecretBytes.make(count: count) { output in
                    attribute.pValue = output.baseAddress
                    read = result(of: "C_GetAttributeValue") {
                        $0.pointee.C_GetAttributeValue($1, object, &attribute, 1)
                    }
                })
        } catch {
            throw HSMError(.overloaded, "No locked memory for a secret: \(error).")
        }
        guard read == .ok else { throw HSMError.returned(read, by: "C_GetAttributeValue") }
        guard attribute.ulValueLen == CK_ULONG(count) else {
            throw HSMError(.deviceFailure, "The token agreed on \(attribute.ulValueLen) bytes instead of \(count).")
        }
        return secret
    }
}

import CTSS2
public import SecretMemory
public import Token

/// Key agreement inside the TPM (TPM2_ECDH_ZGen): the private scalar never leaves it, the common point does, encrypted by
/// the session, into locked memory.
extension TPMToken {
    public func agree(with peer: [UInt8], key: ResidentKeyBlob) async throws(HSMError) -> SharedSecret {
        guard let curve = key.algorithm.tpmCurve, key.algorithm.isAgreement else { throw Self.wrongUse(key, "agree") }
        guard peer.count == 1 + 2 * curve.width, peer[0] == 4 else {
            throw HSMError(.invalidArgument, "A public key on this curve has \(1 + 2 * curve.width) bytes.")
        }
        return try await use(key) { (connection, handle) throws(HSMError) in
            try connection.context.withProduct(handle, connection.authorization, peer) { (product) throws(HSMError) in
                try TPMBytes.secret(UnsafeRawPointer(product), width: curve.width)
            }
        }
    }
}

import CTSS2
package import SecretMemory
package import Token

/// Scalars of TPM_ECC_BN_P256 in the TPM: imported once, stored outside as blobs that only this TPM loads, and with the
/// keys' authorization value, so that a blob and the TPM without the PIN are of no use.
///
/// An imported key cannot be `fixedTPM`, but a TPM duplicates nothing that no policy allows, and the key has none, or the one
/// of approved states, which allows no duplication.
extension TPMToken: ScalarMultiplication {
    private static let curve = TPM2_ECC_CURVE(TPM2_ECC_BN_P256)

    package func canMultiply() async throws(HSMError) -> Bool {
        try await perform { (connection) throws(HSMError) in try connection.context.curves().contains(Self.curve) }
    }

    package func importMultiplier(_ scalar: SharedSecret, point: [UInt8]) async throws(HSMError) -> AnchorBlob {
        try Self.checkPoint(point)
        guard scalar.count == 32 else { throw HSMError(.invalidArgument, "A multiplier's scalar has 32 bytes.") }
        var area = kms_multiplier_template(Self.curve, configuration.address.lockout ? 1 : 0)
        TPMBytes.fill(&area.publicArea.unique.ecc.x, Array(point[1...32]))
        TPMBytes.fill(&area.publicArea.unique.ecc.y, Array(point[33...]))
        let template = area
        return try await perform { (connection) throws(HSMError) in
            guard let primary = connection.primary else { throw HSMError(.keyMissing, "Provision the TPM first.") }
            let publicArea = connection.context.bound(template)
            let wrapping = try ImportWrapping(
                scalar: scalar, authorization: connection.authorization, publicArea: publicArea)
            let blob = try connection.context.importKey(
                publicArea, wrapped: wrapping.wrapped, wrappingKey: wrapping.key, parent: primary.handle)
            return AnchorBlob(identifier: SystemRandom.bytes(16), storage: .wrapped(try blob.bytes()))
        }
    }

    package func product(_ point: [UInt8], by multiplier: AnchorBlob) async throws(HSMError) -> [UInt8] {
        try Self.checkPoint(point)
        return try await perform { (connection) throws(HSMError) in
            let handle = try connection.load(multiplier)
            return try connection.context.withProduct(handle, connection.authorization, point) {
                (product) throws(HSMError) in
                guard let x = TPMBytes.padded(TPMBytes.array(product.pointee.x), to: 32),
                    let y = TPMBytes.padded(TPMBytes.array(product.pointee.y), to: 32)
                else { throw HSMError(.deviceFailure, "The TPM gave a product that does not fit its curve.") }
                return [4] + x + y
            }
        }
    }

    package func forgetMultiplier(_ multiplier: AnchorBlob) async { await forget(multiplier.identifier) }

    private static func checkPoint(_ point: [UInt8]) throws(HSMError) {
        guard point.count == 65, point[0] == 4 else {
            throw HSMError(.invalidArgument, "A multiplier takes points of 65 bytes.")
        }
    }
}

extension TPMConnection {
    /// The handle of a multiplier, loaded if it is not yet; the TPM checks that the scalar belongs to the public point.
    func load(_ multiplier: AnchorBlob) throws(HSMError) -> ESYS_TR {
        if let handle = try residents.handle(of: multiplier) { return handle }
        guard let primary else { throw HSMError(.keyMissing, "Provision the TPM first.") }
        guard case .wrapped(let wrapped) = multiplier.storage else { throw HSMError.notAuthentic }
        let blob = try TPMKeyBlob(wrapped)
        while let victim = residents.makeRoom() { try context.flush(victim) }
        let handle = try context.load(blob, parent: primary.handle)
        residents.insert(handle, for: multiplier)
        return handle
    }
}

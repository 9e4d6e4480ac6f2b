import LibCrypto
import SecretMemory
import Token
import WorkingKeys

/// Key agreement inside the token; the derivation of the wrapping key and the wrapping itself happen here, in locked
/// memory, because no token knows JOSE's.
extension ResidentKey {
    /// Unwraps with whichever version fits. Every point is on the key's curve before the token sees it.
    func unwrap(
        _ wrapped: WrappedKey, sender: AgreementPublicKey?, tag: [UInt8]
    ) async throws -> SharedSecret {
        guard let curve = type.agreementCurve else { throw Self.unsupported(.unwrap, type) }
        let unwrapping = try KeyUnwrapping(wrapped, on: curve, sender: sender, tag: tag)
        for version in versions {
            var agreed: [SharedSecret] = []
            for peer in unwrapping.peers { agreed.append(try await token.agree(with: peer, key: version.blob)) }
            if let contentKey = try unwrapping.open(agreed) { return SharedSecret(contentKey) }
        }
        throw KMSError(.ciphertextInvalid, "The wrapped key does not unwrap.")
    }

    /// Wraps as a known sender, with the primary version.
    func wrap(
        _ contentKey: SharedSecret, for recipient: AgreementPublicKey, apu: [UInt8], apv: [UInt8], tag: [UInt8],
        options: WrapOptions
    ) async throws -> WrappedKey {
        guard let curve = type.agreementCurve else { throw Self.unsupported(.wrap, type) }
        let wrapping = try SenderWrapping(
            contentKeyLength: contentKey.count, on: curve, for: recipient, apu: apu, apv: apv, tag: tag,
            options: options)
        let agreed = try await token.agree(with: recipient.raw, key: primary.blob)
        return try contentKey.withSecret { secret throws(WorkingKeyError) in
            try wrapping.wrap(secret, agreed: agreed)
        }
    }
}

import SecretMemory
import Token
import WorkingKeys

/// A key version just made or imported, ready to be sealed.
struct FreshVersion: Sendable {
    /// What is sealed: key material, or a resident version.
    let secret: SharedSecret
    /// In the type's export form; nil for symmetric keys.
    let publicKey: [UInt8]?
    /// The thumbprint of an asymmetric key, else random.
    let identifier: String

    /// Takes a key of this process.
    init(_ material: KeyMaterial) throws {
        secret = SharedSecret(try material.serialized())
        publicKey = material.publicKey
        identifier = try material.thumbprint ?? KeyIdentifier.random()
    }

    /// Takes a key made inside the token.
    init(resident blob: ResidentKeyBlob, type: KeyType) throws {
        let prefixID = type.hasOutputPrefix ? try OutputPrefix.randomID() : nil
        secret = try ResidentVersion(blob: blob, prefixID: prefixID).serialized()
        if type.isAsymmetric {
            guard let raw = blob.publicKey else {
                throw KMSError(.internal, "The token gave no public key.")
            }
            publicKey = try PublicKeyEncoding.export(raw, type: type)
            identifier = try PublicKeyEncoding.thumbprint(raw, type: type)
        } else {
            publicKey = nil
            identifier = try KeyIdentifier.random()
        }
    }
}

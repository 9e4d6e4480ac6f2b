/// A TPM's attestation key. It has no ``KeyRole``: the daemon never asks for a signature by it, the TPM itself signs what
/// it says of its keys.
extension TokenManifest {
    private static let attestationName = "attestation"

    /// Nil for a PKCS #11 token, and for a TPM that was provisioned before there were such keys.
    public var attestationKey: Key? {
        get { keys[Self.attestationName] }
        set { keys[Self.attestationName] = newValue }
    }

    /// Its label.
    package static func attestationLabel(instance: String) -> String {
        "\(labelPrefix(instance: instance))\(attestationName)/1"
    }
}

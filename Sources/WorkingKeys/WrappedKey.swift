/// A content key wrapped for a recipient, with all that the recipient needs besides its private key.
public struct WrappedKey: Sendable, Equatable {
    /// The recipient's key name; empty for none.
    public var keyID: String
    public var encryptedCEK: [UInt8]
    /// The sender's ephemeral public key.
    public var ephemeral: AgreementPublicKey
    /// The JOSE name of the algorithm, such as `ECDH-ES+A256KW`.
    public var algorithm: String
    public var apu: [UInt8]
    public var apv: [UInt8]

    public init(
        keyID: String, encryptedCEK: [UInt8], ephemeral: AgreementPublicKey, algorithm: String, apu: [UInt8],
        apv: [UInt8]
    ) {
        self.keyID = keyID
        self.encryptedCEK = encryptedCEK
        self.ephemeral = ephemeral
        self.algorithm = algorithm
        self.apu = apu
        self.apv = apv
    }
}

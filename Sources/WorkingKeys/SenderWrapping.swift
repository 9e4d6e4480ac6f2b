public import LibCrypto
public import SecretMemory

/// The wrapping of one content key by a known sender whose private key may be elsewhere (ECDH-1PU): the sender's holder
/// agrees with the recipient, and the rest happens here.
///
/// - Concurrency: any thread; a value.
public struct SenderWrapping: Sendable {
    private let algorithm: KeyWrapAlgorithm
    private let recipient: AgreementPublicKey
    private let ephemeral: AgreementKey
    private let apu: [UInt8]
    private let apv: [UInt8]
    private let tag: [UInt8]

    /// - Parameters:
    ///   - curve: Of the sender's key.
    ///   - count: Bytes of the content key: 32, 48 or 64 unless `options` asks for XChaCha20-Poly1305.
    /// - Throws: `.invalidArgument` for another length, different curves, or a recipient off its curve.
    public init(
        contentKeyLength count: Int, on curve: AgreementCurve, for recipient: AgreementPublicKey, apu: [UInt8],
        apv: [UInt8], tag: [UInt8], options: WrapOptions
    ) throws(WorkingKeyError) {
        algorithm = try KeyWrapping.authenticated(contentKeyLength: count, xc20p: options.usesXChaCha)
        try KeyUnwrapping.check(recipient, on: curve)
        self.recipient = recipient
        ephemeral = try KeyWrapping.ephemeral(options.ephemeral, on: curve)
        self.apu = apu
        self.apv = apv
        self.tag = tag
    }

    /// - Parameter agreed: The secret that the sender's key and the recipient's have in common.
    public func wrap(
        _ contentKey: borrowing SecretBytes, agreed: SharedSecret
    ) throws(WorkingKeyError) -> WrappedKey {
        try KeyWrapping.wrap(
            contentKey, algorithm, recipient: recipient, apu: apu, apv: apv, tag: tag, ephemeral: ephemeral,
            agreed: agreed)
    }
}

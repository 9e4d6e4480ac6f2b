import Encodings
public import LibCrypto
public import SecretMemory

/// The unwrapping of one content key by a holder of a private key who may be elsewhere: with whom to agree, and what to do
/// with the secrets.
///
/// - Concurrency: any thread; a value.
public struct KeyUnwrapping: Sendable {
    /// Raw public keys on the recipient's curve to agree with, in this order.
    public let peers: [[UInt8]]
    private let algorithm: KeyWrapAlgorithm
    private let encryptedCEK: [UInt8]
    private let otherInfo: [UInt8]

    /// - Parameters:
    ///   - curve: Of the recipient's key.
    ///   - sender: Needed by the ECDH-1PU algorithms and ignored by the others.
    /// - Throws: `.invalidArgument` for an unknown algorithm, a missing sender, another curve, or a point off its curve.
    public init(
        _ wrapped: WrappedKey, on curve: AgreementCurve, sender: AgreementPublicKey?, tag: [UInt8]
    ) throws(WorkingKeyError) {
        guard let algorithm = KeyWrapAlgorithm(exactly: wrapped.algorithm) else {
            throw WorkingKeyError(
                .invalidArgument,
                "The key wrapping algorithm '\(wrapped.algorithm.prefix(40))' is not served; these are: "
                    + KeyWrapAlgorithm.allCases.map(\.rawValue).joined(separator: ", ") + ".")
        }
        let author = algorithm.isAuthenticated ? sender : nil
        guard !algorithm.isAuthenticated || author != nil else {
            throw WorkingKeyError(.invalidArgument, "\(algorithm.rawValue) needs the sender's public key.")
        }
        self.algorithm = algorithm
        encryptedCEK = wrapped.encryptedCEK
        otherInfo = algorithm.otherInfo(apu: wrapped.apu, apv: wrapped.apv, tag: tag)
        var peers: [[UInt8]] = []
        for peer in [wrapped.ephemeral, author].compactMap({ $0 }) {
            try Self.check(peer, on: curve)
            peers.append(peer.raw)
        }
        self.peers = peers
    }

    /// - Parameter agreed: The secrets agreed with ``peers``, in their order.
    /// - Returns: The content key; nil if it is not wrapped for whom the secrets belong to.
    public func open(_ agreed: [SharedSecret]) throws(WorkingKeyError) -> SecretBytes? {
        let common = try KeyWrapping.joined(agreed)
        do throws(LibCryptoError) {
            let wrappingKey = try ConcatKDF.sha256(
                secret: common, otherInfo: otherInfo, count: algorithm.wrappingKeyLength)
            return try KeyWrapping.open(encryptedCEK, under: wrappingKey, algorithm)
        } catch  where error.code == .authenticationFailed {
            return nil
        } catch {
            throw WorkingKeyError(error)
        }
    }

    static func check(_ peer: AgreementPublicKey, on curve: AgreementCurve) throws(WorkingKeyError) {
        guard peer.curve == curve else {
            throw WorkingKeyError(
                .invalidArgument,
                "The public key is on \(peer.curve.rawValue), but the private key is on \(curve.rawValue).")
        }
        try WorkingKeyError.translating { () throws(LibCryptoError) in try AgreementKey.check(peer.raw, on: curve) }
    }
}

import CP11Kit
import LibCrypto
import Token

/// Whether a key on the source and one on the target are the same, by what they do with the same challenge.
///
/// Nothing that an object says of itself decides, and no return value: check values, lengths and CKR_OK are what modules were
/// found to be wrong about. Signatures are verified here, under the source's public key, not by a token. Each challenge is a
/// fresh random value behind a label of its own, so that what is signed for it means nothing elsewhere.
struct UseProof {
    enum Verdict {
        /// With what was done, in words.
        case same(String)
        /// With what differed.
        case different(String)
        /// Nothing that both keys may do tells; with why.
        case untold(String)
    }

    /// The public half of a pair, as the source tells it.
    enum PublicHalf {
        case rsa(RSAVerificationKey)
        case curve(EllipticCurve, point: [UInt8])
    }

    let source: CopySide
    let target: CopySide
    let key: CopiedObject
    let publicHalf: PublicHalf?
    /// What either token answered to a challenge that it does not take.
    var refusals: [String] = []

    init(_ source: CopySide, _ target: CopySide, of key: CopiedObject, publicHalf: PublicHalf?) {
        self.source = source
        self.target = target
        self.key = key
        self.publicHalf = publicHalf
    }

    /// Compares with a key on the target.
    ///
    /// - Throws: What a token said that is not a refusal to do this.
    mutating func verdict(on other: ObjectHandle) throws(HSMError) -> Verdict {
        refusals = []
        switch key.objectClass {
        case .privateKey: return try ofPrivateKey(other)
        case .secretKey: return try ofSecretKey(other)
        default: return .untold("it is neither a secret nor a private key")
        }
    }

    /// Does the same on both; nil, with the reason noted, if one of the two does not take it.
    mutating func both<R>(
        _ name: String, _ other: ObjectHandle, _ body: (CopySide, ObjectHandle) throws(HSMError) -> R
    ) throws(HSMError) -> (source: R, target: R)? {
        do throws(HSMError) {
            return (try body(source, key.handle), try body(target, other))
        } catch {
            guard error.isNoAnswer else { throw error }
            refusals.append("\(name): \(error.message)")
            return nil
        }
    }

    /// What none of the ways told.
    var nothingTold: Verdict {
        .untold(
            refusals.isEmpty
                ? "its uses allow nothing by which it could be compared"
                : "no use of it that could be compared works on both tokens (\(refusals.joined(separator: "; ")))")
    }

    /// What is hashed for a signature: no protocol's message begins so.
    static func challenge() -> [UInt8] {
        Array("kmsd token copy: proof of a key, a signature of nothing\0".utf8) + SystemRandom.bytes(32)
    }

    /// Runs computations of our own.
    static func compute<R: ~Copyable>(_ body: () throws(LibCryptoError) -> R) throws(HSMError) -> R {
        do throws(LibCryptoError) {
            return try body()
        } catch {
            throw HSMError(.invalidArgument, "A proof by use could not be computed: \(error.message)")
        }
    }
}

extension HSMError {
    /// Whether a token did not take a challenge, or what was made of it, without being out of reach.
    var isNoAnswer: Bool {
        mayMeanRefusal || code == .authenticationFailed || isAboutParameters
            || (code == .deviceFailure && returnValue?.recovery != .reconnect)
    }

    /// NSS answers CKR_HOST_MEMORY to parameters that it does not take.
    var isAboutParameters: Bool { returnValue?.rawValue == UInt(CKR_HOST_MEMORY) }
}

import Encodings
import LibCrypto

/// A public key that verifies tokens of one algorithm (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2).
struct TokenKey: Sendable {
    let algorithm: BearerAlgorithm
    let keyID: ExactText?
    private let verifier: Verifier

    private enum Verifier: Sendable {
        case rsa(RSAVerificationKey)
        case curve(VerificationKey)
    }

    /// Why a key of a set is not used; never bytes of the key.
    struct Unusable: Error {
        let reason: String
        init(_ reason: String) { self.reason = reason }
    }

    /// Reads one key of a set.
    ///
    /// - Throws: ``Unusable`` for a key that is for something else, of a type that is not supported, malformed or small.
    init(_ node: JSONNode) throws(Unusable) {
        guard case .object = node else { throw Unusable("it is not an object") }
        if let identifier = node["kid"] {
            guard let text = identifier.text, text.utf8.count <= CompactToken.longestKeyID else {
                throw Unusable("its kid is not a text of at most \(CompactToken.longestKeyID) bytes")
            }
            keyID = ExactText(text)
        } else {
            keyID = nil
        }
        if let use = node["use"] {
            guard use.text?.isExactly("sig") == true else { throw Unusable("its use is not 'sig'") }
        }
        if let operations = node["key_ops"] {
            guard operations.elements?.compactMap(\.text).containsExactly("verify") == true else {
                throw Unusable("its key_ops do not hold 'verify'")
            }
        }
        guard node["d"] == nil, node["k"] == nil else { throw Unusable("it has a secret part") }
        let (algorithm, verifier) = try Self.verifier(node)
        if let named = node["alg"] {
            guard named.text?.isExactly(algorithm.rawValue) == true else {
                throw Unusable("its alg is not \(algorithm.rawValue)")
            }
        }
        self.algorithm = algorithm
        self.verifier = verifier
    }

    private static func verifier(_ node: JSONNode) throws(Unusable) -> (BearerAlgorithm, Verifier) {
        let (type, curve) = (ExactText(node["kty"]?.text ?? ""), ExactText(node["crv"]?.text ?? ""))
        func member(_ name: String, _ lengths: ClosedRange<Int>) throws(Unusable) -> [UInt8] {
            guard let text = node[name]?.text, let bytes = Base64.decode(Array(text.utf8), .url),
                lengths.contains(bytes.count)
            else { throw Unusable("its '\(name)' is absent, not base64url or of another length") }
            return bytes
        }
        do {
            if type == "RSA" {
                let (modulus, exponent) = (try member("n", 1...1_100), try member("e", 1...64))
                return (.rs256, .rsa(try RSAVerificationKey(modulus: modulus, exponent: exponent)))
            }
            if type == "EC", curve == "P-256" {
                let point = [4] + (try member("x", 32...32)) + (try member("y", 32...32))
                return (.es256, .curve(try VerificationKey(curve: .p256, publicKey: point)))
            }
            // exact: both are ExactText.
            if type == "OKP", curve == "Ed25519" {
                // Points of small order, for which a signature proves nothing, are refused.
                return (.edDSA, .curve(try VerificationKey(curve: .ed25519, publicKey: try member("x", 32...32))))
            }
        } catch let error as Unusable {
            throw error
        } catch let error as LibCryptoError {
            throw Unusable(error.message)
        } catch {
            throw Unusable("\(error)")
        }
        throw Unusable("keys of its type or curve are not supported; RSA, P-256 and Ed25519 are")
    }

    /// Whether both are the same key, however they are called.
    func isSameKey(as other: TokenKey) -> Bool {
        switch (verifier, other.verifier) {
        case (.rsa(let left), .rsa(let right)): left.modulus == right.modulus && left.exponent == right.exponent
        case (.curve(let left), .curve(let right)): left.curve == right.curve && left.publicKey == right.publicKey
        default: false
        }
    }

    /// Whether the signature is this key's. Malformed ones are answered with false.
    func verifies(_ token: CompactToken) -> Bool { verifies(token.signature, of: token.signed) }

    func verifies(_ signature: [UInt8], of signed: [UInt8]) -> Bool {
        switch verifier {
        case .rsa(let key): (try? key.verifyPKCS1(signature, message: signed)) ?? false
        // RFC 7518 §3.4: r and s, each as long as the curve's field.
        case .curve(let key): (try? key.verify(signature, message: signed, encoding: .p1363)) ?? false
        }
    }
}

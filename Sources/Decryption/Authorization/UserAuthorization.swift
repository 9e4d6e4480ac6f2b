import Encodings
import InclusionProofs
import LibCrypto

/// A user's signed statement that values he may see are to be re-encrypted for a key.
///
/// Source: EIP-712; the typed messages of the KMS of April and October 2024 and of its later product.
public struct UserAuthorization: Sendable, Hashable {
    public enum Scheme: Sendable, Hashable {
        /// Domain "Authorization token", `Reencrypt(bytes publicKey)`.
        case legacyReencrypt
        /// Domain "Decryption", `UserDecryptRequestVerification(…)`.
        case userDecryptRequest
    }

    public var scheme: Scheme
    public var chainID: UInt64
    public var verifyingContract: [UInt8]
    public var contractAddresses: [[UInt8]] = []
    /// Unix seconds.
    public var start: UInt64 = 0
    public var durationDays: UInt32 = 0
    /// r ‖ s ‖ v.
    public var signature: [UInt8]
    public var extraData: [UInt8] = []

    /// A permit for longer is none that a user could mean.
    static let longestDays: UInt32 = 365
    static let mostContracts = 64
    static let longestExtra = 1024

    public init(scheme: Scheme, chainID: UInt64, verifyingContract: [UInt8], signature: [UInt8]) {
        self.scheme = scheme
        self.chainID = chainID
        self.verifyingContract = verifyingContract
        self.signature = signature
    }

    /// Which domain an authorisation must be for.
    public struct Domain: Sendable, Hashable {
        public var chainID: UInt64
        /// 20 bytes.
        public var contract: [UInt8]

        public init(chainID: UInt64, contract: [UInt8]) {
            self.chainID = chainID
            self.contract = contract
        }
    }

    /// Checks form, domain and window, and tells who signed.
    ///
    /// - Parameters:
    ///   - encryptionKey: 32 bytes.
    ///   - now: Unix seconds.
    /// - Returns: The signer's address, 20 bytes. Whoever changes a byte gets another address, not an error.
    public func signer(
        encryptionKey: [UInt8], domain: Domain, now: UInt64
    ) throws(DecryptionError) -> [UInt8] {
        try checkForm()
        guard chainID == domain.chainID, verifyingContract == domain.contract else {
            throw .denied(
                "authorization-domain",
                "the authorisation is for chain \(chainID) and contract 0x\(Hexadecimal.encode(verifyingContract)); "
                    + "here chain \(domain.chainID) and contract 0x\(Hexadecimal.encode(domain.contract)) are asked for"
            )
        }
        if scheme == .userDecryptRequest { try checkWindow(now) }
        let digest = digest(encryptionKey: encryptionKey)
        do {
            let point = try Secp256k1Point.recover(
                digest: digest, signature: Array(signature[..<64]), isOdd: signature[64] % 27 == 1)
            return WireKeys.address(of: point)
        } catch {
            throw DecryptionError(
                .unauthenticated, "authorization-signature", "no key can have made the authorisation's signature")
        }
    }

    private func checkForm() throws(DecryptionError) {
        guard verifyingContract.count == 20, contractAddresses.allSatisfy({ $0.count == 20 }) else {
            throw .invalid("malformed-authorization", "addresses in an authorisation have 20 bytes")
        }
        guard signature.count == 65, [0, 1, 27, 28].contains(signature[64]) else {
            throw .invalid(
                "malformed-authorization", "an authorisation's signature is r, s and v: 65 bytes, v 0, 1, 27 or 28")
        }
        let pair = Array(signature[..<64])
        guard ECDSASignature.lowS(pair, curve: .secp256k1) == pair else {
            throw DecryptionError(
                .invalid, "high-s", "the authorisation's signature has the larger of the two s")
        }
        guard contractAddresses.count <= Self.mostContracts, extraData.count <= Self.longestExtra else {
            throw .invalid(
                "malformed-authorization",
                "an authorisation names at most \(Self.mostContracts) contracts and \(Self.longestExtra) bytes more")
        }
        guard scheme == .userDecryptRequest || contractAddresses.isEmpty && extraData.isEmpty else {
            throw .invalid(
                "malformed-authorization", "an authorisation of this scheme signs neither contracts nor extra data")
        }
    }

    private func checkWindow(_ now: UInt64) throws(DecryptionError) {
        guard (1...Self.longestDays).contains(durationDays) else {
            throw .invalid("malformed-authorization", "duration_days must be 1 to \(Self.longestDays)")
        }
        let (end, overflow) = start.addingReportingOverflow(UInt64(durationDays) * 86_400)
        guard !overflow else { throw .invalid("malformed-authorization", "the authorisation's window has no end") }
        guard now >= start else {
            throw .denied("authorization-early", "the authorisation holds from \(start), and it is \(now)")
        }
        guard now < end else {
            throw .denied("authorization-expired", "the authorisation held until \(end), and it is \(now)")
        }
    }

    /// For errors: none of it is secret, and it is what a user must compare with what his wallet showed.
    public func explanation(encryptionKey: [UInt8], account: [UInt8]) -> String {
        "domain '\(domainName)' version 1, chain \(chainID), contract 0x\(Hexadecimal.encode(verifyingContract)); "
            + "\(primaryType), digest 0x\(Hexadecimal.encode(digest(encryptionKey: encryptionKey))); "
            + "recovered address 0x\(Hexadecimal.encode(account))"
    }
}

extension UserAuthorization {
    private var domainName: String { scheme == .legacyReencrypt ? "Authorization token" : "Decryption" }

    private var primaryType: String {
        scheme == .legacyReencrypt ? "Reencrypt" : "UserDecryptRequestVerification"
    }

    private var typeText: String {
        switch scheme {
        case .legacyReencrypt: "Reencrypt(bytes publicKey)"
        case .userDecryptRequest:
            "UserDecryptRequestVerification(bytes publicKey,address[] contractAddresses,uint256 startTimestamp,"
                + "uint256 durationDays,bytes extraData)"
        }
    }

    var domainSeparator: [UInt8] {
        let type = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
        return Self.hash(
            Self.hash(type.utf8) + Self.hash(domainName.utf8) + Self.hash("1".utf8) + Self.word(chainID)
                + Self.word(verifyingContract))
    }

    func structHash(encryptionKey: [UInt8]) -> [UInt8] {
        var fields = Self.hash(typeText.utf8) + Self.hash(encryptionKey)
        if scheme == .userDecryptRequest {
            fields += Self.hash(contractAddresses.flatMap { Self.word($0) })
            fields += Self.word(start) + Self.word(UInt64(durationDays)) + Self.hash(extraData)
        }
        return Self.hash(fields)
    }

    /// What the user signs.
    public func digest(encryptionKey: [UInt8]) -> [UInt8] {
        Self.hash([0x19, 0x01] + domainSeparator + structHash(encryptionKey: encryptionKey))
    }

    private static func hash(_ bytes: some Collection<UInt8>) -> [UInt8] { Handles.keccak(bytes) }

    private static func word(_ number: UInt64) -> [UInt8] {
        word(withUnsafeBytes(of: number.bigEndian) { Array($0) })
    }

    private static func word(_ bytes: [UInt8]) -> [UInt8] {
        [UInt8](repeating: 0, count: 32 - bytes.count) + bytes
    }
}

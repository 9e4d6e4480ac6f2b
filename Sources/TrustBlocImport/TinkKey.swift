import Encodings
import LibCrypto
import SecretMemory
import WorkingKeys

/// One key of a keyset, while its bytes are lent.
struct TinkKey {
    private static let tink = "type.googleapis.com/google.crypto.tink."
    private static let aries = "type.hyperledger.org/hyperledger.aries.crypto.tink."

    private let bytes: UnsafeRawBufferPointer
    private let typeURL: String
    private let value: ProtoMessage
    private let prefixID: UInt32?

    /// - Parameters:
    ///   - data: Where the `KeyData` is.
    ///   - prefix: Tink's `OutputPrefixType`: 1 with a prefix, 3 without.
    init(
        _ bytes: UnsafeRawBufferPointer, data: Range<Int>, id: UInt32, prefix: UInt64
    ) throws(TrustBlocError) {
        let message = try ProtoMessage(bytes, data)
        guard let url = try message.bytes(1), url.count <= 200, let value = try message.bytes(2),
            let text = String(validating: bytes[url], as: UTF8.self)
        else { throw TrustBlocError.damaged }
        switch prefix {
        case 1: prefixID = id
        case 3: prefixID = nil
        default: throw TrustBlocError(.unsupported, "an output prefix other than TINK and RAW")
        }
        self.bytes = bytes
        typeURL = text
        self.value = try ProtoMessage(bytes, value)
    }

    func material() throws(TrustBlocError) -> KeyMaterial {
        switch typeURL {
        case Self.tink + "AesGcmKey":
            return try symmetric(field: 3) { count in
                switch (count, prefixID) {
                case (16, _): .aes128GCM
                case (32, nil): .aes256GCMNoPrefix
                case (32, _): .aes256GCM
                default: nil
                }
            }
        case Self.tink + "ChaCha20Poly1305Key": return try symmetric(field: 2) { _ in .chaCha20Poly1305 }
        case Self.tink + "XChaCha20Poly1305Key": return try symmetric(field: 3) { _ in .xChaCha20Poly1305 }
        case Self.tink + "HmacKey":
            guard let place = try value.bytes(2) else { throw TrustBlocError.damaged }
            let parameters = try ProtoMessage(bytes, place)
            guard try parameters.number(1) == 3, try parameters.number(2) == 32 else {
                throw TrustBlocError(.unsupported, "an HMAC other than SHA-256 with a tag of 32 bytes")
            }
            return try symmetric(field: 3) { _ in .hmacSHA256Tag256 }
        case Self.tink + "Ed25519PrivateKey":
            return try checked(try make(.ed25519, try required(2)), publicKey: try publicPart(3, coordinate: 2))
        case Self.tink + "EcdsaPrivateKey": return try ecdsa()
        case Self.tink + "secp256k1PrivateKey":
            return try checked(
                try make(.ecdsaSecp256k1P1363, try required(3)), publicKey: try publicPart(2, coordinate: 3))
        case Self.aries + "X25519EcdhKwPrivateKey":
            return try checked(try make(.x25519ECDHKW, try required(3)), publicKey: try publicPart(2, coordinate: 4))
        case Self.aries + "NistPEcdhKwPrivateKey": return try agreement()
        case Self.aries + "BBSPrivateKey": return try make(.bls12381G2, try required(3))
        default:
            let name = typeURL.splitExactly(at: ".", omittingEmpty: true).last.map(String.init) ?? ""
            throw TrustBlocError(.unsupported, "a key of type \(name.filter { $0.isLetter || $0.isNumber })")
        }
    }

    /// Numbers of HashType in Tink's common.proto.
    private static let hashNames: [UInt64: String] = [
        1: "SHA-1", 2: "SHA-384", 3: "SHA-256", 4: "SHA-512", 5: "SHA-224",
    ]

    private static func hash(of type: KeyType) -> UInt64 {
        switch type {
        case .ecdsaP384DER, .ecdsaP384P1363: 2
        case .ecdsaP521DER, .ecdsaP521P1363: 4
        default: 3
        }
    }

    private func ecdsa() throws(TrustBlocError) -> KeyMaterial {
        guard let place = try value.bytes(2) else { throw TrustBlocError.damaged }
        guard let parametersPlace = try ProtoMessage(bytes, place).bytes(2) else { throw TrustBlocError.damaged }
        let parameters = try ProtoMessage(bytes, parametersPlace)
        let type: KeyType? =
            switch (try parameters.number(2), try parameters.number(3)) {
            case (2, 2): .ecdsaP256DER
            case (3, 2): .ecdsaP384DER
            case (4, 2): .ecdsaP521DER
            case (2, 1): .ecdsaP256P1363
            case (3, 1): .ecdsaP384P1363
            case (4, 1): .ecdsaP521P1363
            default: nil
            }
        guard let type else { throw TrustBlocError(.unsupported, "an ECDSA curve or signature encoding") }
        // Tink's own templates sign on P-384 over SHA-512. Here each curve has one hash: taken over with another, the key would
        // make signatures that nobody expects, and refuse those it made before.
        let hash = try parameters.number(1)
        guard hash == Self.hash(of: type) else {
            throw TrustBlocError(
                .unsupported,
                "a key of type \(type.rawValue) that signs over \(Self.hashNames[hash] ?? "another hash"): make a new key"
            )
        }
        return try checked(try make(type, try required(3)), publicKey: try publicPart(2, coordinate: 3))
    }

    /// The curve is the one on which the private key has the stored public key.
    private func agreement() throws(TrustBlocError) -> KeyMaterial {
        let x = try publicPart(2, coordinate: 4)
        for type in [KeyType.nistP256ECDHKW, .nistP384ECDHKW, .nistP521ECDHKW] {
            guard let key = try? make(type, try required(3)), Self.matches(key, x) else { continue }
            return key
        }
        throw TrustBlocError.damaged
    }

    // MARK: Parts

    private func required(_ field: UInt64) throws(TrustBlocError) -> Range<Int> {
        guard let range = try value.bytes(field), !range.isEmpty else { throw TrustBlocError.damaged }
        return range
    }

    private func symmetric(
        field: UInt64, _ type: (Int) -> KeyType?
    ) throws(TrustBlocError) -> KeyMaterial {
        let place = try required(field)
        guard let type = type(place.count), type.secretLength == place.count else {
            throw TrustBlocError(.unsupported, "a symmetric key of \(place.count) bytes")
        }
        return try make(type, place)
    }

    /// Numbers may have been stored without their leading zeros, or with one more.
    private func make(_ type: KeyType, _ place: Range<Int>) throws(TrustBlocError) -> KeyMaterial {
        var place = place
        while place.count > type.secretLength, bytes[place.lowerBound] == 0 {
            place = (place.lowerBound + 1)..<place.upperBound
        }
        guard place.count <= type.secretLength, place.count == type.secretLength || type.signingCurve != .ed25519 else {
            throw TrustBlocError.damaged
        }
        do {
            let secret = try SecretBytes.make(count: type.secretLength) { output in
                UnsafeMutableRawBufferPointer(rebasing: output[(type.secretLength - place.count)...])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[place]))
            }
            return try KeyMaterial(type: type, prefixID: prefixID, secret: secret)
        } catch let error as WorkingKeyError where error.code == .invalidArgument {
            throw TrustBlocError(.damaged, "the private key is out of range")
        } catch {
            throw TrustBlocError(.internalFailure, "\(error)")
        }
    }

    /// A coordinate of the stored public key.
    private func publicPart(_ field: UInt64, coordinate: UInt64) throws(TrustBlocError) -> [UInt8] {
        guard let place = try value.bytes(field),
            let range = try ProtoMessage(bytes, place).bytes(coordinate), range.count <= 200
        else { throw TrustBlocError.damaged }
        return Array(bytes[range])
    }

    private func checked(_ key: KeyMaterial, publicKey: [UInt8]) throws(TrustBlocError) -> KeyMaterial {
        guard Self.matches(key, publicKey) else {
            throw TrustBlocError(.damaged, "the stored public key is not the private key's")
        }
        return key
    }

    /// Whether the key's x coordinate, or its only one, is this; leading zeros do not count.
    private static func matches(_ key: KeyMaterial, _ coordinate: [UInt8]) -> Bool {
        guard let raw = key.rawPublicKey else { return false }
        let own = raw.count == 32 ? raw[...] : raw[1..<(1 + raw.count / 2)]
        return own.drop { $0 == 0 }.elementsEqual(coordinate.drop { $0 == 0 })
    }
}

import Encodings
import Foundation
import LibCrypto
import TestSupport
import Testing
import WorkingKeys

/// Members of `kid_and_export.json`.
private struct KidVectors: Decodable {
    struct Vector: Decodable {
        let keyType, thumbprintInput, kid: String
        let exportedPublicKey: String?
    }
    struct JWK: Decodable {
        let crv, x: String
        let y: String?
    }
    let vectors: [Vector]
}

@Suite(.timeLimit(.minutes(10))) struct PublicKeyEncodingTests {
    @Test func everyVectorGivesItsIdentifierAndExport() throws {
        let file = try VectorFile.load("kid_and_export.json", as: KidVectors.self)
        var checked: [String] = []
        for vector in file.vectors {
            let jwk = try JSONDecoder().decode(KidVectors.JWK.self, from: Data(vector.thumbprintInput.utf8))
            let x = try VectorFile.base64URL(jwk.x)
            let y = try jwk.y.map { try VectorFile.base64URL($0) }
            let thumbprint =
                if let y {
                    try JWKThumbprint.ellipticCurve(curve: jwk.crv, x: x, y: y)
                } else {
                    try JWKThumbprint.octetKeyPair(curve: jwk.crv, x: x)
                }
            #expect(thumbprint == vector.kid)
            let type = try #require(KeyType(rawValue: vector.keyType))
            checked.append(vector.keyType)
            let raw = y.map { [4] + x + $0 } ?? x
            #expect(try PublicKeyEncoding.thumbprint(raw, type: type) == vector.kid, "\(type)")
            if let exported = vector.exportedPublicKey {
                let bytes = try PublicKeyEncoding.export(raw, type: type)
                #expect(Data(bytes).base64EncodedString() == exported, "\(type)")
            }
        }
        #expect(Set(checked).count == 13)
    }

    /// RFC 7638 with the registered names of curves: the identifier, but for secp256k1 and the type without a registered JWK.
    @Test func thumbprintsOfKeysAreThoseOfTheirRegisteredForm() throws {
        let file = try VectorFile.load("kid_and_export.json", as: KidVectors.self)
        var others: Set<KeyType> = []
        for vector in file.vectors {
            let jwk = try JSONDecoder().decode(KidVectors.JWK.self, from: Data(vector.thumbprintInput.utf8))
            let type = try #require(KeyType(rawValue: vector.keyType))
            let x = try VectorFile.base64URL(jwk.x)
            let raw = try jwk.y.map { [4] + x + (try VectorFile.base64URL($0)) } ?? x
            let registered = vector.thumbprintInput.replacing("SECP256K1", with: "secp256k1")
            let digest = Base64.encode(try Digest.sha256(Array(registered.utf8)), .url)
            let expected = type == .bls12381G2 ? nil : digest
            #expect(try PublicKeyEncoding.jwkThumbprint(raw, type: type) == expected, "\(type)")
            let exported = try PublicKeyEncoding.export(raw, type: type)
            #expect(try PublicKeyEncoding.jwkThumbprint(exported: exported, type: type) == expected, "\(type)")
            if expected != vector.kid { others.insert(type) }
            guard expected != nil else { continue }
            #expect(throws: WorkingKeyError.self) {
                _ = try PublicKeyEncoding.jwkThumbprint(exported: exported.dropLast(), type: type)
            }
        }
        #expect(others == [.ecdsaSecp256k1P1363, .bls12381G2])
    }

    @Test func rawKeysOfAWrongLengthAreRefused() {
        for type in KeyType.allCases {
            let expected: WorkingKeyError.Code = type.isAsymmetric ? .invalidArgument : .unsupportedOperation
            #expect(code { _ = try PublicKeyEncoding.export([4], type: type) } == expected)
            #expect(code { _ = try PublicKeyEncoding.thumbprint([], type: type) } == expected)
        }
    }

    @Test func aNameThatWouldBreakTheJSONIsRefused() throws {
        let raw = try #require(KeyMaterial.generate(.x25519ECDHKW).rawPublicKey)
        let named = try PublicKeyEncoding.export(raw, type: .x25519ECDHKW, keyID: "my-key_1.2")
        #expect(String(decoding: named, as: UTF8.self).hasPrefix(#"{"kid":"my-key_1.2","x":""#))
        for name in [#"a"b"#, #"a\b"#, "a\n", "ä", "a b"] {
            #expect(
                code { _ = try PublicKeyEncoding.export(raw, type: .x25519ECDHKW, keyID: name) } == .invalidArgument)
        }
    }

    @Test func randomIdentifiersHaveFiftyCharacters() throws {
        let allowed = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        var seen: Set<String> = []
        for _ in 0..<100 {
            let identifier = try KeyIdentifier.random()
            #expect(identifier.count == 50)
            #expect(identifier.allSatisfy { allowed.contains($0) })
            seen.insert(identifier)
        }
        #expect(seen.count == 100)
    }

    @Test func prefixesSplitAndJoin() throws {
        #expect(OutputPrefix.bytes(0x1234_5678) == [1, 0x12, 0x34, 0x56, 0x78])
        let split = try #require(OutputPrefix.split([1, 0x12, 0x34, 0x56, 0x78, 9]))
        #expect(split.id == 0x1234_5678)
        #expect(split.body == [9])
        for short in [[], [1], [1, 2, 3, 4, 5], [0, 2, 3, 4, 5, 6]] as [[UInt8]] {
            #expect(OutputPrefix.split(short) == nil)
        }
        #expect(try OutputPrefix.randomID() != 0)
    }
}

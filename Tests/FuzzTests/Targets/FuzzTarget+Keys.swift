import Audit
import SecretMemory

@testable import LibCrypto
@testable import WorkingKeys

extension FuzzTarget {
    /// Keys and signatures as files, requests and stored records carry them.
    static let keys = [
        FuzzTarget("pkcs8", longest: 512) { bytes throws(FuzzFinding) in
            guard let secret = locked(bytes), let key = parsed({ try SigningKey.importing(pkcs8: secret) }) else {
                return
            }
            try signs(key)
        },
        FuzzTarget("sec1", longest: 512) { bytes throws(FuzzFinding) in
            guard let secret = locked(bytes) else { return }
            for curve in [SigningCurve.p256, .p384, .p521, .secp256k1] {
                if let key = parsed({ try SigningKey.importing(sec1: secret, curve: curve) }) { try signs(key) }
            }
        },
        FuzzTarget("ecdsa-der", longest: 160) { bytes throws(FuzzFinding) in
            for curve in [SigningCurve.p256, .p384, .p521, .secp256k1] {
                if let fixed = ECDSASignature.p1363(fromDER: bytes, curve: curve) {
                    try claim(ECDSASignature.der(fromP1363: fixed, curve: curve) == bytes, "DER has two spellings")
                }
                if let der = ECDSASignature.der(fromP1363: bytes, curve: curve) {
                    try claim(ECDSASignature.p1363(fromDER: der, curve: curve) == bytes, "r ‖ s does not come back")
                }
            }
        },
        // The first byte names the curve.
        FuzzTarget("public-key", longest: 134) { bytes throws(FuzzFinding) in
            guard let first = bytes.first else { return }
            let raw = Array(bytes.dropFirst())
            let signing = SigningCurve.allCases[Int(first) % SigningCurve.allCases.count]
            if let key = parsed({ try VerificationKey(curve: signing, publicKey: raw) }) {
                try claim(key.publicKey == raw, "a point has a second spelling")
                let zeros = [UInt8](repeating: 0, count: signing.fixedSignatureLength)
                let verified = parsed { try key.verify(zeros, message: raw, encoding: .p1363) } ?? false
                try claim(!verified, "a signature of zeros verifies")
            }
            let agreement = AgreementCurve.allCases[Int(first) % AgreementCurve.allCases.count]
            if let key = parsed({ try AgreementPublicKey(curve: agreement, raw: raw) }) {
                let y = key.y
                let again = try accepted("own coordinates") {
                    try AgreementPublicKey(
                        curve: key.curveName, type: key.type, x: key.x.isEmpty ? [0] : key.x,
                        y: y.isEmpty && agreement != .x25519 ? [0] : y)
                }
                try claim(again.raw == raw, "coordinates do not come back")
                _ = parsed { try AgreementKey.check(raw, on: agreement) }
            }
        },
        FuzzTarget("audit-key", longest: 512) { bytes throws(FuzzFinding) in
            if let key = parsed({ try AuditPublicKey(subjectPublicKeyInfo: bytes) }) {
                try claim(key.subjectPublicKeyInfo == bytes, "SubjectPublicKeyInfo has two spellings")
            }
            if let key = parsed({ try AuditPublicKey(pem: text(bytes)) }) {
                let again = try accepted("own PEM") { try AuditPublicKey(pem: key.pem) }
                try claim(again.fingerprint == key.fingerprint, "PEM does not come back")
            }
        },
        FuzzTarget("key-material", longest: 128) { bytes throws(FuzzFinding) in
            guard let secret = locked(bytes), let key = parsed({ try KeyMaterial(deserializing: secret) }) else {
                return
            }
            let again = try accepted("serializing") { SharedSecret(try key.serialized()) }
            try claim(again.withUnsafeBytes { $0.elementsEqual(bytes) }, "key material has two spellings")
        },
    ]

    static func locked(_ bytes: [UInt8]) -> SecretBytes? {
        do { return try SecretBytes.make(count: bytes.count) { $0.copyBytes(from: bytes) } } catch { return nil }
    }

    private static func signs(_ key: SigningKey) throws(FuzzFinding) {
        let message = Array("m".utf8)
        let signature = try accepted("signing") { try key.sign(message, encoding: .p1363) }
        let verified = try accepted("verifying") {
            try VerificationKey(curve: key.curve, publicKey: key.publicKey)
                .verify(signature, message: message, encoding: .p1363)
        }
        try claim(verified, "an imported key's signature is not its public half's")
    }
}

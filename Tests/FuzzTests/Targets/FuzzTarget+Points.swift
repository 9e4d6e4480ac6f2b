import Pairing

extension FuzzTarget {
    /// Points of pairing curves and what is made of them. What is accepted has no second spelling.
    static let points = [
        FuzzTarget("bls12-381", longest: 192) { bytes throws(FuzzFinding) in
            if let point = parsed({ try BLS12381.G1Point(compressed: bytes, allowingInfinity: true) }) {
                try claim(point.compressed == bytes, "a point of G1 has a second spelling")
                let again = try accepted("G1") {
                    try BLS12381.G1Point(uncompressed: point.uncompressed, allowingInfinity: true)
                }
                try claim(again == point, "a point of G1 does not come back")
            }
            if let point = parsed({ try BLS12381.G1Point(uncompressed: bytes, allowingInfinity: true) }) {
                try claim(point.uncompressed == bytes, "a point of G1 has a second spelling")
            }
            if let point = parsed({ try BLS12381.G2Point(compressed: bytes, allowingInfinity: true) }) {
                try claim(point.compressed == bytes, "a point of G2 has a second spelling")
            }
            if let point = parsed({ try BLS12381.G2Point(uncompressed: bytes, allowingInfinity: true) }) {
                try claim(point.uncompressed == bytes, "a point of G2 has a second spelling")
            }
            if let scalar = parsed({ try BLS12381.Scalar(bigEndian: bytes) }) {
                try claim(scalar.bigEndian == bytes, "a scalar has a second spelling")
            }
        },
        FuzzTarget("bn254", longest: 129) { bytes throws(FuzzFinding) in
            if let point = parsed({ try BN254.G1Point(encoded: bytes, allowingInfinity: true) }) {
                try claim(point.encoded == bytes, "a point of G1 has a second spelling")
            }
            if let point = parsed({ try BN254.G1Point(uncompressedBigEndian: bytes) }) {
                try claim(point.uncompressedBigEndian == bytes, "a point of G1 has a second spelling")
            }
            if let point = parsed({ try BN254.G2Point(encoded: bytes, allowingInfinity: true) }) {
                try claim(point.encoded == bytes, "a point of G2 has a second spelling")
            }
            if let point = parsed({ try BN254.G2Point(miracl: bytes) }) {
                let again = try accepted("G2") { try BN254.G2Point(encoded: point.encoded) }
                try claim(again == point, "a point of G2 does not come back")
            }
        },
        FuzzTarget("bnp256", longest: 130) { bytes throws(FuzzFinding) in
            if let point = parsed({ try BNP256.G1Point(compressed: bytes) }) {
                try claim(point.compressed == bytes, "a point of G1 has a second spelling")
            }
            if let point = parsed({ try BNP256.G1Point(uncompressed: bytes) }) {
                try claim(point.uncompressed == bytes, "a point of G1 has a second spelling")
            }
            if let point = parsed({ try BNP256.G2Point(compressed: bytes) }) {
                try claim(point.compressed == bytes, "a point of G2 has a second spelling")
            }
        },
        FuzzTarget("bbs", longest: 1024) { bytes throws(FuzzFinding) in
            if let signature = parsed({ try BBSSignature(encoded: bytes) }) {
                try claim(signature.encoded == bytes, "a signature has a second spelling")
            }
            if let proof = parsed({ try BBSProof(encoded: bytes) }) {
                try claim(proof.encoded == bytes, "a proof has a second spelling")
            }
        },
    ]
}

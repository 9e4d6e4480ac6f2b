@testable import Attestation

extension FuzzTarget {
    /// Statements about keys, and what a TPM says in them.
    static let attestations = [
        FuzzTarget("attestation", longest: 8192) { bytes throws(FuzzFinding) in
            guard let attestation = parsed({ try SignedAttestation(json: bytes) }) else { return }
            try claim(
                attestation.json.utf8.elementsEqual(bytes) || bytes.last == 0x0A, "an attestation has two spellings")
            var verifier = AttestationVerifier()
            verifier.acceptsAnyAuditKey = true
            let report = verifier.verify(attestation)
            verifier.nonce = [UInt8](repeating: 0x5A, count: 33)
            try claim(
                report.finding != nil || verifier.verify(attestation).finding != nil,
                "an attestation is good for any nonce")
        },
        FuzzTarget("tpm-structures", longest: 512) { bytes throws(FuzzFinding) in
            if let area = parsed({ try TPMPublicArea(bytes) }) {
                try claim(area.name.count == 34, "a name is not by SHA-256")
                for (curve, width) in [(UInt16(3), 32), (4, 48), (5, 66)] {
                    try claim(
                        (area.point(curve: curve, width: width)?.count ?? 2 * width + 1) == 2 * width + 1, "a point")
                }
            }
            if let certification = parsed({ try TPMCertification(bytes) }) {
                try claim(certification.extraData.count <= 66, "a nonce of any length")
            }
            if let signature = parsed({ try TPMSignature(bytes) }) {
                try claim(signature.fixedWidth.count == 64, "a signature of another width")
            }
        },
    ]
}

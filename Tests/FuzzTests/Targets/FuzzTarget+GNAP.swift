import Encodings

@testable import GNAP

extension FuzzTarget {
    /// What GNAP clients send and the authorization server answers.
    static let gnap = [
        FuzzTarget("signature-input", longest: 1024) { bytes throws(FuzzFinding) in
            let field = text(bytes)
            guard let input = SignatureInput(field) else { return }
            try claim(same("sig1=" + input.parameters, field), "signed parameters are not those of the field")
            try claim(Set(input.components).count == input.components.count, "a component is covered twice")
            let request = MessageRequest(
                method: "POST", targetURI: "https://kms.example/v1",
                fields: ["content-digest": ["sha-256=:AA==:"], "authorization": [" GNAP t\n"]], body: [])
            guard let base = input.base(for: request) else { return }
            try claim(
                base.split(separator: "\n", omittingEmptySubsequences: false).count == input.components.count + 1,
                "a component speaks for another")
        },
        FuzzTarget("content-digest", longest: 512) { bytes throws(FuzzFinding) in
            let body = Array("body".utf8)
            guard ContentDigest.fits(text(bytes), body) else { return }
            let own = try accepted("the digest") { try ContentDigest.field(body) }
            try claim(text(bytes).contains(own) || text(bytes).contains("sha-512=:"), "a wrong digest fits")
            try claim(!ContentDigest.fits(text(bytes), body + [0]), "one digest fits two bodies")
        },
        FuzzTarget("client-key", longest: 512) { bytes throws(FuzzFinding) in
            guard let jwk = parsed({ try JSONNode(reading: bytes) }), let key = parsed({ try ClientKey(jwk: jwk) })
            else { return }
            try claim(key.thumbprint.utf8.count == 43, "a thumbprint is not one of SHA-256")
            try claim(
                !key.verifies([], bytes) && !key.verifies([UInt8](repeating: 0, count: 64), bytes),
                "a signature of nothing verifies")
        },
    ]
}

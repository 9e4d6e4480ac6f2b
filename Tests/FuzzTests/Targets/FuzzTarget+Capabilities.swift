import Encodings
import Foundation

@testable import Capabilities

extension FuzzTarget {
    /// ZCAP documents and the two headers that carry their use.
    static let capabilities = [
        FuzzTarget("capability") { bytes throws(FuzzFinding) in
            guard let capability = parsed({ try Capability(json: bytes) }) else { return }
            let again = try accepted("a printed capability") { try Capability(json: capability.json()) }
            try claim(again == capability, "a capability does not survive printing")
            if let canonical = parsed({ try Canonicalization.document(capability) }) {
                try claim(parsed { try Canonicalization.document(again) } == canonical, "two canonical forms")
            }
            for proof in capability.proof.prefix(4) { _ = parsed { try Canonicalization.options(proof) } }
            // The same document in the header that carries it.
            guard !capability.id.isEmpty,
                let header = parsed({ try Invocation(capability: capability, action: "sign").header() }),
                header.utf8.count <= Invocation.longestHeader
            else { return }
            let invocation = try accepted("an own header") { try Invocation(header: header) }
            try claim(invocation.capability == capability, "a capability does not survive its header")
        },
        FuzzTarget("invocation", longest: 2048) { bytes throws(FuzzFinding) in
            guard let read = parsed({ try Invocation(header: text(bytes)) }) else { return }
            try claim(!read.action.isEmpty && !read.action.text.contains("\""), "an action holds its own quote")
        },
        FuzzTarget("http-signature", longest: 1024) { bytes throws(FuzzFinding) in
            let header = text(bytes)
            guard let signature = parsed({ try HTTPSignature(header: header) }) else { return }
            try claim((1...16).contains(signature.covered.count), "a signature covers nothing, or too much")
            try claim((signature.created ?? 0) >= 0 && (signature.expires ?? 0) >= 0, "a time before 1970")
            let request = HTTPSignature.Request(
                method: "POST", uri: "/v1/keystores/a", headers: ["host": ["h"], "digest": ["a\nb"]])
            guard let signed = parsed({ try signature.signingString(for: request) }) else { return }
            try claim(
                signed.split(separator: "\n", omittingEmptySubsequences: false).count >= signature.covered.count,
                "a covered header has no line")
        },
        FuzzTarget("did-key", longest: 256) { bytes throws(FuzzFinding) in
            let name = text(bytes)
            guard let key = DIDKey(name) else { return }
            try claim(same(key.did, name) || same(key.description, name), "a DID has a second spelling")
            try claim(DIDKey(publicKey: key.publicKey) == key, "a DID is not its key's")
        },
        FuzzTarget("detached-jws", longest: 1024) { bytes throws(FuzzFinding) in
            let header = Base64.encode(bytes, .url)
            guard let read = parsed({ try DetachedJWS(header + "..AA") }) else { return }
            try claim(same(read.header, header) && read.signature == [0], "what is signed is not what came")
            // A second reader sees the same members.
            let object = parsed { try JSONSerialization.jsonObject(with: Data(bytes)) } as? [String: Any]
            try claim(object?["alg"] as? String == "EdDSA", "another algorithm")
            try claim(object?["b64"] as? Bool == false, "an encoded payload")
            try claim(object?["crit"] as? [String] == ["b64"], "another list of what must be understood")
        },
        FuzzTarget("timestamp", longest: 48) { bytes throws(FuzzFinding) in
            guard let seconds = Timestamp.seconds(text(bytes)) else { return }
            try claim((-62_200_000_000...253_500_000_000).contains(seconds), "a time outside of four-digit years")
        },
    ]
}

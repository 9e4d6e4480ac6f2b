import Encodings

/// URDNA2015 for the two shapes a capability has: its document and its proof options.
///
/// No JSON-LD engine is needed, because the shapes are fixed and the contexts frozen; nothing is ever fetched. Blank
/// nodes are labelled in the order of their first-degree hashes, which always differ here: the proof node has a nonce,
/// and the list nodes of a chain hold different capabilities (repeated ones are refused).
enum Canonicalization {
    private static let security = "https://w3id.org/security#"
    private static let rdf = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"

    /// The document without its proof.
    static func document(_ capability: Capability) throws(CapabilityError) -> String {
        let subject = Quad.Term.iri(try absolute(capability.id, "id"))
        var quads: [Quad] = []
        func link(_ name: String, _ value: ExactText?) throws(CapabilityError) {
            guard let value else { return }
            quads.append(Quad(subject: subject, predicate: security + name, object: .iri(try absolute(value, name))))
        }
        try link("invoker", capability.invoker)
        try link("controller", capability.controller)
        try link("delegator", capability.delegator)
        try link("parentCapability", capability.parentCapability)
        for action in Set(capability.allowedAction) {
            quads.append(Quad(subject: subject, predicate: security + "allowedAction", object: .literal(action.text)))
        }
        // ID and Type are not mapped by the context: an empty node is all that is signed of the target.
        quads.append(Quad(subject: subject, predicate: security + "invocationTarget", object: .blank(0)))
        return try canonical(quads, blanks: 1)
    }

    /// The proof options: the proof without its `jws`.
    static func options(_ proof: CapabilityProof) throws(CapabilityError) -> String {
        guard proof.proofPurpose == CapabilityProof.delegation, proof.type == CapabilityProof.suite else {
            throw .unauthorized(
                "the proof is not an \(CapabilityProof.suite) with purpose \(CapabilityProof.delegation)")
        }
        let node = Quad.Term.blank(0)
        var quads = [
            Quad(subject: node, predicate: "http://purl.org/dc/terms/created", object: .dateTime(proof.created)),
            Quad(subject: node, predicate: rdf + "type", object: .iri(security + CapabilityProof.suite)),
            Quad(
                subject: node, predicate: security + "proofPurpose",
                object: .iri(security + "capabilityDelegationMethod")),
            Quad(
                subject: node, predicate: security + "verificationMethod",
                object: .iri(try absolute(proof.verificationMethod, "verificationMethod"))),
        ]
        for (name, value) in [("nonce", proof.nonce), ("domain", proof.domain), ("challenge", proof.challenge)] {
            guard let value else { continue }
            quads.append(Quad(subject: node, predicate: security + name, object: .literal(value)))
        }
        var blanks = 1
        if let chain = proof.capabilityChain {
            guard Set(chain).count == chain.count, chain.count <= 8 else {
                throw .unauthorized("the capability chain repeats an entry or is longer than 8")
            }
            quads.append(
                Quad(
                    subject: node, predicate: security + "capabilityChain",
                    object: chain.isEmpty ? .iri(rdf + "nil") : .blank(1)))
            for (index, entry) in chain.enumerated() {
                let last = index == chain.count - 1
                quads.append(
                    Quad(
                        subject: .blank(blanks), predicate: rdf + "first",
                        object: .iri(try absolute(entry, "capabilityChain"))))
                quads.append(
                    Quad(
                        subject: .blank(blanks), predicate: rdf + "rest",
                        object: last ? .iri(rdf + "nil") : .blank(blanks + 1)))
                blanks += 1
            }
        }
        return try canonical(quads, blanks: blanks)
    }

    private static func canonical(_ quads: [Quad], blanks: Int) throws(CapabilityError) -> String {
        var hashes: [(hash: String, node: Int)] = []
        for node in 0..<blanks {
            let lines = quads.filter { $0.subject == .blank(node) || $0.object == .blank(node) }
                .map { $0.line { $0 == node ? "_:a" : "_:z" } }
            hashes.append(
                (Hexadecimal.encode(try Hashing.sha256(Array(lines.sorted(by: byteOrder).joined().utf8))), node))
        }
        var labels = [Int: String]()
        for (position, entry) in hashes.sorted(by: { $0.hash < $1.hash }).enumerated() {
            labels[entry.node] = "_:c14n\(position)"
        }
        return quads.map { $0.line { labels[$0] ?? "_:z" } }.sorted(by: byteOrder).joined()
    }

    /// Code-point order, which for UTF-8 is byte order; Swift's own string order is not.
    private static func byteOrder(_ left: String, _ right: String) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }

    /// A value that is no absolute IRI would silently vanish from the signed quads, so it is refused.
    private static func absolute(_ name: ExactText, _ member: String) throws(CapabilityError) -> String {
        let value = name.text
        let scheme = value.prefix { $0 != ":" }
        let known = scheme.utf8.allSatisfy {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || [0x2B, 0x2D, 0x2E].contains($0)
        }
        let forbidden: Set<Unicode.Scalar> = ["<", ">", "\"", "{", "}", "|", "^", "`", "\\"]
        guard !scheme.isEmpty, scheme.count < value.count, known, scheme.first?.isLetter == true,
            value.utf8.count <= 2_048,
            value.unicodeScalars.allSatisfy({ $0.value > 0x20 && !forbidden.contains($0) })
        else { throw .unauthorized("\(member) is not an absolute IRI") }
        return value
    }
}

import Encodings
internal import FoundationEssentials

extension Capability {
    /// The document's JSON, members in the order TrustBloc's server writes them, `caveats` always present.
    public func json() -> [UInt8] {
        var members: [(String, String)] = [("@context", quote(context.text)), ("id", quote(id.text))]
        func add(_ name: String, _ value: ExactText?) {
            if let value { members.append((name, quote(value.text))) }
        }
        add("invoker", invoker)
        add("controller", controller)
        add("delegator", delegator)
        add("parentCapability", parentCapability)
        if !allowedAction.isEmpty { members.append(("allowedAction", list(allowedAction))) }
        members.append(
            (
                "invocationTarget",
                "{\"ID\":\(quote(invocationTarget.id.text)),\"Type\":\(quote(invocationTarget.type.text))}"
            ))
        members.append(("caveats", caveats.map { "[" + $0.map(caveat).joined(separator: ",") + "]" } ?? "null"))
        if !proof.isEmpty { members.append(("proof", "[" + proof.map(proofJSON).joined(separator: ",") + "]")) }
        return Array(object(members).utf8)
    }

    private func caveat(_ caveat: Caveat) -> String {
        var members = [("type", quote(caveat.type.text))]
        if let duration = caveat.duration { members.append(("duration", String(duration))) }
        return object(members)
    }

    private func proofJSON(_ proof: CapabilityProof) -> String {
        var members: [(String, String)] = []
        if let chain = proof.capabilityChain { members.append(("capabilityChain", list(chain))) }
        if let challenge = proof.challenge { members.append(("challenge", quote(challenge))) }
        members.append(("created", quote(proof.created)))
        if let domain = proof.domain { members.append(("domain", quote(domain))) }
        if let jws = proof.jws { members.append(("jws", quote(jws))) }
        if let nonce = proof.nonce { members.append(("nonce", quote(nonce))) }
        members.append(("proofPurpose", quote(proof.proofPurpose.text)))
        members.append(("type", quote(proof.type.text)))
        members.append(("verificationMethod", quote(proof.verificationMethod.text)))
        return object(members)
    }

    private func object(_ members: [(String, String)]) -> String {
        "{" + members.map { quote($0.0) + ":" + $0.1 }.joined(separator: ",") + "}"
    }

    private func list(_ values: [ExactText]) -> String {
        "[" + values.map { quote($0.text) }.joined(separator: ",") + "]"
    }

    private func quote(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "<", ">", "&":
                quoted += "\\u00" + String(scalar.value, radix: 16)
            case _ where scalar.value < 0x20:
                let hex = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}

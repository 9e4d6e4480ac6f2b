public import Encodings

/// The `Capability-Invocation` header: `zcap capability="<base64url of gzip>",action="<action>"`.
public struct Invocation: Sendable, Equatable {
    /// In bytes.
    static let longestHeader = 32_768

    public let capability: Capability
    public let action: ExactText

    public init(capability: Capability, action: String) {
        self.capability = capability
        self.action = ExactText(action)
    }

    /// Parses the header's value, of at most 32 KiB.
    public init(header: String) throws(CapabilityError) {
        guard header.utf8.count <= Self.longestHeader,
            Substring(header.utf8.prefix(4)).asciiLowercased().isExactly("zcap"),
            header.utf8.count > 5
        else {
            throw .malformed("Capability-Invocation does not start with 'zcap '")
        }
        var parameters: [ExactText: Substring] = [:]
        for pair in Substring(header.utf8.dropFirst(5)).splitExactly(at: ",") {
            let parts = pair.splitExactly(at: "=", maxSplits: 1)
            guard parts.count == 2, parts[1].utf8.count >= 2, parts[1].utf8.first == UInt8(ascii: "\""),
                parts[1].utf8.last == UInt8(ascii: "\""), ["capability", "action"].containsExactly(parts[0]),
                parameters.updateValue(Substring(parts[1].utf8.dropFirst().dropLast()), forKey: ExactText(parts[0]))
                    == nil
            else {
                throw .malformed("Capability-Invocation holds a parameter other than one capability and one action")
            }
        }
        guard let text = parameters["capability"], let action = parameters["action"], !action.isEmpty,
            !action.utf8.contains(UInt8(ascii: "\"")),
            let compressed = Base64.decode(text, .either)
        else { throw .malformed("Capability-Invocation needs capability (base64url of gzip) and action") }
        self.init(capability: try Capability(json: try Gzip.expand(compressed)), action: String(action))
    }

    /// The header's value for an outgoing request.
    public func header() throws(CapabilityError) -> String {
        let compressed = try Gzip.compress(capability.json())
        return "zcap capability=\"\(Base64.encode(compressed, .urlPadded))\",action=\"\(action)\""
    }
}

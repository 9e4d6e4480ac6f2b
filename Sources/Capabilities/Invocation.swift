import TextEncodings

/// The `Capability-Invocation` header: `zcap capability="<base64url of gzip>",action="<action>"`.
public struct Invocation: Sendable, Equatable {
    /// In bytes.
    static let longestHeader = 32_768

    public let capability: Capability
    public let action: String

    public init(capability: Capability, action: String) {
        self.capability = capability
        self.action = action
    }

    /// Parses the header's value, of at most 32 KiB.
    public init(header: String) throws(CapabilityError) {
        guard header.utf8.count <= Self.longestHeader, header.prefix(4).lowercased() == "zcap", header.utf8.count > 5
        else {
            throw .malformed("Capability-Invocation does not start with 'zcap '")
        }
        var parameters: [String: Substring] = [:]
        for pair in header.dropFirst(5).split(separator: ",", omittingEmptySubsequences: false) {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, parts[1].count >= 2, parts[1].first == "\"", parts[1].last == "\"",
                parts[0] == "capability" || parts[0] == "action",
                parameters.updateValue(parts[1].dropFirst().dropLast(), forKey: String(parts[0])) == nil
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

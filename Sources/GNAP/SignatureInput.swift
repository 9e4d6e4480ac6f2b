import Encodings

/// The `Signature-Input` field with the one label GNAP clients use: `sig1=("@method" …);created=…;keyid="…"`.
///
/// - Source: draft-ietf-httpbis-message-signatures (RFC 9421 §4.1, §2.3); RFC 8941 for the form.
struct SignatureInput: Equatable {
    static let label = "sig1"
    static let maximumBytes = 4096

    /// Component names in the order they were signed.
    let components: [String]
    let created: Int64?
    let expires: Int64?
    let algorithm: String?
    let keyID: String?
    /// Everything behind the label, as it stands: the value of `@signature-params`.
    let parameters: String

    /// Nil for every other form: more labels, parameters of components, other parameters, anything given twice.
    init?(_ field: String) {
        guard field.utf8.count <= Self.maximumBytes, field.utf8.allSatisfy({ (0x20..<0x7f).contains($0) }),
            field.startsExactly(with: Self.label + "=(")
        else { return nil }
        parameters = String(field.dropFirst(Self.label.count + 1))
        var rest = parameters.dropFirst()
        // exact: the field is ASCII.
        guard let close = rest.firstIndex(of: ")") else { return nil }
        var components: [String] = []
        for item in rest[..<close].splitExactly(at: " ", omittingEmpty: true) {
            guard item.count > 2, item.first == "\"", item.last == "\"" else { return nil }
            let name = String(item.dropFirst().dropLast())
            guard Self.isComponent(name), !components.contains(name) else { return nil }
            components.append(name)
        }
        guard (1...32).contains(components.count) else { return nil }
        self.components = components
        rest = rest[rest.index(after: close)...]
        var values: [ExactText: String] = [:]
        while !rest.isEmpty {
            // exact: the field is ASCII.
            guard rest.first == ";" else { return nil }
            rest = rest.dropFirst()
            let name = rest.prefix { ("a"..."z").contains($0) }
            rest = rest.dropFirst(name.count)
            guard rest.first == "=", ["created", "expires", "alg", "keyid", "nonce", "tag"].contains(name) else {
                return nil
            }
            rest = rest.dropFirst()
            let value: Substring
            if rest.first == "\"" {
                rest = rest.dropFirst()
                value = rest.prefix { $0 != "\"" && $0 != "\\" }
                rest = rest.dropFirst(value.count)
                guard rest.first == "\"" else { return nil }
                rest = rest.dropFirst()
            } else {
                value = rest.prefix { ("0"..."9").contains($0) }
                rest = rest.dropFirst(value.count)
                guard ["created", "expires"].contains(name), (1...15).contains(value.count) else { return nil }
            }
            guard values.updateValue(String(value), forKey: ExactText(name)) == nil else { return nil }
        }
        do {
            created = try Self.time(values["created"])
            expires = try Self.time(values["expires"])
        } catch { return nil }
        algorithm = values["alg"]
        keyID = values["keyid"]
    }

    private struct NoTime: Error {}

    private static func time(_ text: String?) throws(NoTime) -> Int64? {
        guard let text else { return nil }
        guard let value = Int64(text) else { throw NoTime() }
        return value
    }

    /// The two derived components GNAP uses, and names of fields.
    private static func isComponent(_ name: String) -> Bool {
        if name == "@method" || name == "@target-uri" { return true }
        return name.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || byte == UInt8(ascii: "-")
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
    }

    /// The text that is signed; nil if a covered field is absent.
    ///
    /// - Parameter target: The value of `@target-uri`; nil for the request's.
    func base(for request: MessageRequest, target: String? = nil) -> String? {
        var lines: [String] = []
        for component in components {
            switch component {
            case "@method": lines.append("\"@method\": \(request.method)")
            case "@target-uri": lines.append("\"@target-uri\": \(target ?? request.targetURI)")
            default:
                guard let values = request.fields[component] else { return nil }
                let value = values.map { $0.trimmingBlanks() }.joined(separator: ", ")
                // A line break would let one component speak for another.
                guard !value.utf8.contains(where: { $0 == 0x0a || $0 == 0x0d }) else { return nil }
                lines.append("\"\(component)\": \(value)")
            }
        }
        lines.append("\"@signature-params\": \(parameters)")
        return lines.joined(separator: "\n")
    }
}

import TextEncodings

/// The `Signature` header of draft-cavage-http-signatures, with the one algorithm the Aries clients use.
public struct HTTPSignature: Sendable, Equatable {
    public static let algorithm = "https://github.com/hyperledger/aries-framework-go/zcaps"

    public let keyID: String
    public let created: Int64?
    public let expires: Int64?
    /// Names in the order they were signed, lower case.
    public let covered: [String]
    public let signature: [UInt8]

    /// What of a request a signature may cover.
    public struct Request: Sendable {
        public var method: String
        /// Path and query exactly as sent.
        public var uri: String
        public var headers: SignedHeaders

        public init(method: String, uri: String, headers: SignedHeaders) {
            self.method = method
            self.uri = uri
            self.headers = headers
        }

        /// - Parameter headers: Values by lower-case name.
        public init(method: String, uri: String, headers: [String: [String]]) {
            self.init(method: method, uri: uri, headers: SignedHeaders(headers))
        }
    }

    public init(header: String) throws(CapabilityError) {
        guard header.utf8.count <= 8_192 else { throw .unauthorized("Signature is longer than 8 KiB") }
        var values: [String: String] = [:]
        var rest = Substring(header).utf8
        while !rest.isEmpty {
            guard let equals = rest.firstIndex(of: UInt8(ascii: "=")) else {
                throw .unauthorized("Signature has a name without value")
            }
            let name = Substring(rest[..<equals]).trimmingSpaces()
            rest = rest[rest.index(after: equals)...]
            let value: Substring.UTF8View
            if rest.first == UInt8(ascii: "\"") {
                rest = rest.dropFirst()
                guard let quote = rest.firstIndex(of: UInt8(ascii: "\"")) else {
                    throw .unauthorized("Signature has an open quote")
                }
                value = rest[..<quote]
                rest = rest[rest.index(after: quote)...]
            } else {
                value = rest.prefix { $0 != UInt8(ascii: ",") }
                rest = rest.dropFirst(value.count)
            }
            guard values.updateValue(String(Substring(value)), forKey: String(name)) == nil,
                rest.isEmpty || rest.first == UInt8(ascii: ",")
            else {
                throw .unauthorized("Signature repeats a parameter or lacks a comma")
            }
            rest = rest.dropFirst()
        }
        guard let keyID = values["keyId"], let text = values["signature"], let signature = Base64.decode(text, .either),
            values["algorithm"]?.lowercased() == Self.algorithm
        else { throw .unauthorized("Signature needs keyId, signature and the zcaps algorithm") }
        self.keyID = keyID
        self.signature = signature
        created = try Self.time(values["created"])
        expires = try Self.time(values["expires"])
        covered = (values["headers"] ?? "(created)").split(separator: " ").map { $0.lowercased() }
        guard !covered.isEmpty, Set(covered).count == covered.count, covered.count <= 16 else {
            throw .unauthorized("Signature covers nothing, repeats a header or lists more than 16")
        }
    }

    private static func time(_ text: String?) throws(CapabilityError) -> Int64? {
        guard let text else { return nil }
        guard let value = Int64(text), value >= 0 else { throw .unauthorized("Signature has a time that is no number") }
        return value
    }

    /// The text that was signed: one line per covered header.
    public func signingString(for request: Request) throws(CapabilityError) -> String {
        var lines: [String] = []
        for name in covered {
            switch name {
            case "(created)":
                guard let created else { throw .unauthorized("(created) is covered but absent") }
                lines.append("(created): \(created)")
            case "(expires)":
                guard let expires else { throw .unauthorized("(expires) is covered but absent") }
                lines.append("(expires): \(expires)")
            case "(request-target)":
                lines.append("(request-target): \(request.method.lowercased()) \(request.uri)")
            default:
                guard let value = request.headers.only(name) else {
                    throw .unauthorized("covered header '\(name)' is absent or repeated")
                }
                lines.append("\(name): \(Substring(value).trimmingSpaces())")
            }
        }
        return lines.joined(separator: "\n")
    }
}

extension Substring {
    func trimmingSpaces() -> Substring {
        var text = utf8
        while let first = text.first, first == UInt8(ascii: " ") || first == UInt8(ascii: "\t") { text.removeFirst() }
        while let last = text.last, last == UInt8(ascii: " ") || last == UInt8(ascii: "\t") { text.removeLast() }
        return Substring(text)
    }
}

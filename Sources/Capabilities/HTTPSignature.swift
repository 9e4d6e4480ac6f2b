public import Encodings

/// The `Signature` header of draft-cavage-http-signatures, with the one algorithm the Aries clients use.
public struct HTTPSignature: Sendable, Equatable {
    public static let algorithm = "https://github.com/hyperledger/aries-framework-go/zcaps"

    public let keyID: ExactText
    public let created: Int64?
    public let expires: Int64?
    /// Names in the order they were signed, lower case.
    public let covered: [ExactText]
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
        // exact: names of fields are tokens, ASCII throughout.
        public init(method: String, uri: String, headers: [String: [String]]) {
            self.init(method: method, uri: uri, headers: SignedHeaders(headers))
        }
    }

    public init(header: String) throws(CapabilityError) {
        guard header.utf8.count <= 8_192 else { throw .unauthorized("Signature is longer than 8 KiB") }
        let parameters = try SignatureParameters(Array(header.utf8))
        guard let keyID = parameters.text("keyId"), let text = parameters.bytes("signature"),
            let signature = Base64.decode(text, .either),
            parameters.text("algorithm")?.asciiLowercased().isExactly(Self.algorithm) == true
        else { throw .unauthorized("Signature needs keyId, signature and the zcaps algorithm") }
        self.keyID = ExactText(keyID)
        self.signature = signature
        created = try Self.time(parameters.text("created"))
        expires = try Self.time(parameters.text("expires"))
        covered =
            parameters.bytes("headers")?.split(separator: UInt8(ascii: " ")).map {
                ExactText(String(decoding: $0, as: UTF8.self).asciiLowercased())
            } ?? ["(created)"]
        guard !covered.isEmpty, covered.count <= 16, Set(covered).count == covered.count else {
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
            switch name.text {
            case "(created)":
                guard let created else { throw .unauthorized("(created) is covered but absent") }
                lines.append("(created): \(created)")
            case "(expires)":
                guard let expires else { throw .unauthorized("(expires) is covered but absent") }
                lines.append("(expires): \(expires)")
            case "(request-target)":
                lines.append("(request-target): \(request.method.asciiLowercased()) \(request.uri)")
            default:
                guard let value = request.headers.only(name.text) else {
                    throw .unauthorized("covered header '\(name)' is absent or repeated")
                }
                lines.append("\(name): \(value.trimmingBlanks())")
            }
        }
        return lines.joined(separator: "\n")
    }
}

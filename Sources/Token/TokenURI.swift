import Encodings

/// Names a token by what it says of itself (RFC 7512), never by slot number.
///
/// Stricter than the RFC where leniency would hide a mistake: unknown, repeated and empty attributes, `slot-id` and
/// `pin-value` are refused, and the module path must be absolute.
public struct TokenURI: Hashable, Sendable, CustomStringConvertible {
    public var token: String?
    public var serial: String?
    public var manufacturer: String?
    public var model: String?
    /// Label of an object on the token.
    public var object: String?
    /// CKA_ID of an object, raw bytes.
    public var id: [UInt8]?
    /// `cert`, `data`, `private`, `public` or `secret-key`.
    public var type: String?
    /// Absolute path of the PKCS #11 module.
    public var modulePath: String?
    /// `file:/path`, `/path` or `credential:NAME`; see ``PINSource``.
    public var pinSource: String?

    /// Longest accepted text, in bytes.
    public static let longestText = 4096

    public init(
        token: String? = nil, serial: String? = nil, manufacturer: String? = nil, model: String? = nil,
        modulePath: String? = nil, pinSource: String? = nil
    ) {
        self.token = token
        self.serial = serial
        self.manufacturer = manufacturer
        self.model = model
        self.modulePath = modulePath
        self.pinSource = pinSource
    }

    /// Parses `pkcs11:token=…;serial=…?module-path=…&pin-source=…`.
    ///
    /// - Throws: `.configurationRefused`, naming the attribute and what to write instead; the text itself is not
    ///   repeated, since a mistaken URI may hold a PIN.
    public init(parsing text: String) throws(HSMError) {
        guard text.utf8.count <= Self.longestText else {
            throw Self.refused("it is longer than \(Self.longestText) bytes")
        }
        let bytes = Array(text.utf8)
        guard bytes.prefix(Self.scheme.count).map(Self.lowercase) == Self.scheme else {
            throw Self.refused("it starts with neither 'pkcs11:' nor 'tpm:'")
        }
        let rest = bytes.dropFirst(Self.scheme.count)
        let mark = rest.firstIndex(of: UInt8(ascii: "?"))
        self.init()
        var seen: Set<String> = []  // exact: names of attributes, ASCII already.
        for (name, value) in try Self.attributes(rest[..<(mark ?? rest.endIndex)], .path, seen: &seen) {
            try setPathAttribute(name, value)
        }
        guard let mark else { return }
        for (name, value) in try Self.attributes(rest[(mark + 1)...], .query, seen: &seen) {
            try setQueryAttribute(name, value)
        }
    }

    private static let scheme = Array("pkcs11:".utf8)

    private static func lowercase(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }

    private mutating func setPathAttribute(_ name: String, _ value: [UInt8]) throws(HSMError) {
        switch name {
        case "token": token = try Self.string(name, value)
        case "serial": serial = try Self.string(name, value)
        case "manufacturer": manufacturer = try Self.string(name, value)
        case "model": model = try Self.string(name, value)
        case "object": object = try Self.string(name, value)
        case "id": id = value
        case "type":
            let text = try Self.string(name, value)
            guard ["cert", "data", "private", "public", "secret-key"].contains(text) else {
                throw Self.refused("'type' must be cert, data, private, public or secret-key")
            }
            type = text
        case "slot-id", "slot-description", "slot-manufacturer":
            throw Self.refused("'\(name)' names a slot, which changes; name the token by 'token' and 'serial'")
        default:
            throw Self.refused(
                "'\(Self.printable(name))' is not an attribute of a token; known are token, serial, manufacturer and model"
            )
        }
    }

    private mutating func setQueryAttribute(_ name: String, _ value: [UInt8]) throws(HSMError) {
        switch name {
        case "module-path":
            let path = try Self.string(name, value)
            guard path.startsExactly(with: "/") else { throw Self.refused("'module-path' must be an absolute path") }
            modulePath = path
        case "pin-source":
            let source = try Self.string(name, value)
            _ = try PINSource(parsing: source)
            pinSource = source
        case "module-name":
            throw Self.refused(
                "'module-name' depends on what the machine has registered; give 'module-path', which "
                    + "`p11-kit list-modules` shows")
        default:
            throw Self.refused(
                "'\(Self.printable(name))' is not an attribute after '?'; known are module-path and pin-source")
        }
    }

    /// Canonical text: attributes in a fixed order, everything outside the RFC's unreserved set percent-encoded, an
    /// identifier encoded throughout (section 2.3). It holds no secret: a PIN cannot get into a value.
    public var description: String {
        var path: [String] = []
        for (name, value) in [
            ("token", token), ("serial", serial), ("manufacturer", manufacturer), ("model", model),
            ("object", object), ("type", type),
        ] {
            if let value { path.append("\(name)=\(Self.encoded(value.utf8, .path))") }
        }
        if let id { path.append("id=\(id.map(PercentEncoding.encode).joined())") }
        var query: [String] = []
        if let modulePath { query.append("module-path=\(Self.encoded(modulePath.utf8, .query))") }
        if let pinSource { query.append("pin-source=\(Self.encoded(pinSource.utf8, .query))") }
        return "pkcs11:" + path.joined(separator: ";") + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
    }

    /// Whether a token's own description satisfies every attribute given.
    public func matches(label: String, serial: String, manufacturer: String, model: String) -> Bool {
        [(token, label), (self.serial, serial), (self.manufacturer, manufacturer), (self.model, model)].allSatisfy {
            wanted, found in wanted?.isExactly(found) ?? true
        }
    }

    /// Byte for byte, by the canonical text, which is ASCII.
    public static func == (left: TokenURI, right: TokenURI) -> Bool { left.description.isExactly(right.description) }

    public func hash(into hasher: inout Hasher) { hasher.combine(ExactText(description)) }
}

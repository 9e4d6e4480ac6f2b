/// What stands before an object that tfhe-rs wrote "safely": the version of the framing and the name of the type.
///
/// Source: tfhe-rs 0.6 and 1.x, `safe_serialization`; shapes checked on bytes of 0.6.1, 1.6.2 and Concrete 2.11.0.
struct SafeHeader: Equatable {
    enum Framing: String {
        case v03 = "0.3"
        case v05 = "0.5"
    }

    var version: String
    var name: String

    /// Reads a header of `framing` before an object of type `name`.
    ///
    /// - Throws: ``TFHEError`` naming expected and found version, mode or type.
    static func read(_ reader: inout BincodeReader, _ framing: Framing, name: String) throws(TFHEError) {
        let version = try reader.text("framing version")
        guard version == framing.rawValue else {
            throw .format("expected framing version \(framing.rawValue), found '\(version)'")
        }
        if framing == .v05 { try readMode(&reader) }
        let found = try reader.text("type name")
        guard found == name else { throw .format("expected a \(name), found a '\(found)'") }
    }

    private static func readMode(_ reader: inout BincodeReader) throws(TFHEError) {
        guard try reader.u32("versioning mode") == 0 else {
            throw .unsupported("the object behind framing 0.5 is unversioned; only versioned ones are read")
        }
        let versioning = try reader.text("versioning scheme")
        guard versioning == "0.1" else {
            throw .format("expected versioning scheme 0.1, found '\(versioning)'")
        }
    }

    /// What the bytes say of themselves, whatever the version; nil if they do not begin like a header.
    init?(recognisedIn bytes: UnsafeRawBufferPointer) {
        var reader = BincodeReader(bytes, "object")
        guard let version = try? reader.text("framing version"), (3...8).contains(version.utf8.count),
            version.utf8.allSatisfy({ $0 == UInt8(ascii: ".") || (0x30...0x39).contains($0) })
        else { return nil }
        if version == Framing.v05.rawValue {
            guard (try? reader.skip(4, "versioning mode")) != nil, (try? reader.text("versioning scheme")) != nil else {
                return nil
            }
        }
        guard let name = try? reader.text("type name") else { return nil }
        (self.version, self.name) = (version, name)
    }

    var description: String { "safe-\(version) of type '\(name)'" }
}

/// A name of servers as a certificate has it: a name, or one whose first label is a star, which stands for one whole label
/// (RFC 9525, section 6.3).
public struct ServerNamePattern: Sendable {
    private let pattern: [UInt8]

    /// - Parameter bytes: A DNS name among a certificate's alternative names.
    public init(_ bytes: some Sequence<UInt8>) { pattern = Self.lowercased(bytes) }

    /// - Parameter name: Without a dot at its end.
    public func fits(_ name: String) -> Bool {
        let name = Self.lowercased(name.utf8)
        if pattern == name { return !name.isEmpty }
        guard pattern.starts(with: "*.".utf8), let dot = name.firstIndex(of: UInt8(ascii: ".")), dot > 0 else {
            return false
        }
        return pattern.dropFirst(1).elementsEqual(name[dot...])
    }

    private static func lowercased(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        bytes.map { UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0 ? $0 | 0x20 : $0 }
    }
}

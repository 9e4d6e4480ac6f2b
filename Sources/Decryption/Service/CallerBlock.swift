import Encodings

/// Where a caller comes from, as far as bounds go: an IPv4 address, or the first half of an IPv6 one, since whoever has one
/// address of a /64 has all of them.
public struct CallerBlock: Hashable, Sendable {
    /// 4 bytes, 8 bytes, or none if the connection tells no address.
    public let bytes: [UInt8]

    private static let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]

    /// - Parameter address: 4 bytes of IPv4 or 16 of IPv6; anything else is no address.
    public init(address: [UInt8]) {
        switch address.count {
        case 4: bytes = address
        // IPv4 over a socket for IPv6: its /64 would be the whole of IPv4.
        case 16: bytes = address.starts(with: Self.mapped) ? Array(address.suffix(4)) : Array(address.prefix(8))
        default: bytes = []
        }
    }

    /// In ASCII.
    public var text: String {
        switch bytes.count {
        case 4: bytes.map { "\($0)" }.joined(separator: ".")
        case 8: Hexadecimal.encode(bytes) + "/64"
        default: "-"
        }
    }
}

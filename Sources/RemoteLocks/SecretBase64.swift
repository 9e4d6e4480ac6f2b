import SecretMemory

/// Standard base64 with padding (RFC 4648 §4) from and to locked memory.
///
/// Lookups are by comparison, not by index, so that their time does not depend on the secret.
enum SecretBase64 {
    /// Nil for anything but whole groups of the standard alphabet, padded, with unused bits zero.
    static func decode(_ text: some Collection<UInt8>, limit: Int) throws -> SharedSecret? {
        guard text.count.isMultiple(of: 4), text.count / 4 <= limit / 3 + 1 else { return nil }
        var isValid = true
        let secret = try SecretBytes.make(capacity: max(1, text.count / 4 * 3)) { output in
            var (group, characters, paddings, written) = (UInt32(0), 0, 0, 0)
            for byte in text {
                let value = value(of: byte)
                if byte == UInt8(ascii: "=") { paddings += 1 } else if value > 63 || paddings > 0 { isValid = false }
                group = group << 6 | (value & 63)
                characters += 1
                guard characters.isMultiple(of: 4) else { continue }
                if paddings > 2 { isValid = false }
                for index in 0..<(3 - min(paddings, 2)) {
                    output[written] = UInt8(truncatingIfNeeded: group >> (16 - 8 * UInt32(index)))
                    written += 1
                }
                if paddings > 0, group & (paddings == 1 ? 0xFF : 0xFFFF) != 0 { isValid = false }
                if paddings > 0, characters != text.count { isValid = false }
                group = 0
            }
            return written
        }
        return isValid ? SharedSecret(secret) : nil
    }

    /// 0 to 63; 64 for `=` with its low bits zero, and for everything else.
    private static func value(of byte: UInt8) -> UInt32 {
        func range(_ first: UInt8, _ last: UInt8, _ base: UInt32) -> UInt32 {
            let isIn: UInt32 = (byte >= first ? 1 : 0) & (byte <= last ? 1 : 0)
            return (UInt32(byte) &- UInt32(first) &+ base &+ 1) & (0 &- isIn)
        }
        let found =
            range(UInt8(ascii: "A"), UInt8(ascii: "Z"), 0) | range(UInt8(ascii: "a"), UInt8(ascii: "z"), 26)
            | range(UInt8(ascii: "0"), UInt8(ascii: "9"), 52) | range(UInt8(ascii: "+"), UInt8(ascii: "+"), 62)
            | range(UInt8(ascii: "/"), UInt8(ascii: "/"), 63)
        return found == 0 ? 64 : found - 1
    }

    /// Public once it is sent, so it leaves locked memory here.
    static func encode(_ bytes: UnsafeRawBufferPointer) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let count = min(3, bytes.count - start)
            var group: UInt32 = 0
            for index in 0..<3 { group = group << 8 | (index < count ? UInt32(bytes[start + index]) : 0) }
            for index in 0..<4 {
                text.append(index <= count ? alphabet[Int(group >> (18 - 6 * UInt32(index)) & 63)] : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    static func encode(_ secret: SharedSecret) -> String { secret.withUnsafeBytes { encode($0) } }

    static func encode(_ bytes: [UInt8]) -> String { bytes.withUnsafeBytes { encode($0) } }
}

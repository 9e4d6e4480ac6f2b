import SecretMemory

/// What a local lock's key file may hold: padded base64url text of 32 bytes (line breaks ignored), or 32 raw bytes.
///
/// Files of existing deployments are read as their server reads them, except where that reading is dangerous: a raw
/// 32-byte key whose bytes all happen to be base64url characters would silently become a 24-byte key.
enum LocalKeyFile {
    /// Bytes that are read at most.
    static let longestContent = 512
    static let keyLength = 32

    static func key(from content: borrowing SecretBytes, path: String) throws(EnclaveLockError) -> SecretBytes {
        func refused(_ reason: String) -> EnclaveLockError {
            EnclaveLockError(.configurationRefused, "Could not use the lock key file '\(path)': \(reason)")
        }
        guard content.count > 0 else { throw refused("it is empty.") }
        let decoded: SecretBytes?
        do {
            decoded = try decodeBase64URL(content)
        } catch {
            throw EnclaveLockError(.internalFailure, "Could not read the lock key file: \(error)")
        }
        if let decoded {
            if content.count == keyLength {
                throw refused(
                    "its 32 raw bytes are also base64url text of a 24-byte key, so which key is meant cannot be told. "
                        + "Write the key as base64url text, or make another.")
            }
            try checkLength(decoded.count, refused)
            return decoded
        }
        guard content.count != 44 && content.count != 45 else {
            throw refused(
                "it is not base64url text. If it is standard base64, write - for + and _ for / and keep the padding.")
        }
        try checkLength(content.count, refused)
        do {
            return try content.copy()
        } catch {
            throw EnclaveLockError(.internalFailure, "Could not read the lock key file: \(error)")
        }
    }

    private static func checkLength(
        _ count: Int, _ refused: (String) -> EnclaveLockError
    ) throws(EnclaveLockError) {
        if count == 16 || count == 24 {
            throw refused(
                "it holds an AES-\(count * 8) key of \(count) bytes; this lock takes 32-byte keys (AES-256) only.")
        }
        guard count == keyLength else {
            throw refused("it holds \(count) bytes; a key has 32, as base64url text or raw.")
        }
    }

    /// Decodes padded base64url (RFC 4648 §5) into locked memory, skipping CR and LF; nil if the content is not that.
    private static func decodeBase64URL(_ content: borrowing SecretBytes) throws -> SecretBytes? {
        var valid = true
        let decoded = try content.withUnsafeBytes { text in
            try SecretBytes.make(capacity: text.count) { output in
                let count = decode(text, into: output)
                valid = count != nil
                return count ?? 0
            }
        }
        guard valid else { return nil }
        return decoded
    }

    private static func decode(_ text: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Int? {
        var accumulator: UInt32 = 0
        var characters = 0
        var padding = 0
        var written = 0
        for byte in text where byte != 0x0A && byte != 0x0D {
            characters += 1
            if byte == UInt8(ascii: "=") {
                padding += 1
                accumulator <<= 6
            } else {
                guard padding == 0, let value = value(byte) else { return nil }
                accumulator = accumulator << 6 | value
            }
            guard characters.isMultiple(of: 4) else { continue }
            guard padding <= 2 else { return nil }
            for index in 0..<(3 - padding) {
                output[written] = UInt8(truncatingIfNeeded: accumulator >> (16 - 8 * UInt32(index)))
                written += 1
            }
            if padding > 0 && accumulator & (padding == 2 ? 0xFFFF : 0xFF) != 0 { return nil }
            accumulator = 0
        }
        // After a padded group nothing may follow, which `padding == 0` above ensures.
        return characters > 0 && characters.isMultiple(of: 4) && padding <= 2 ? written : nil
    }

    private static func value(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte) - 65
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte) - 97 + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte) - 48 + 52
        case UInt8(ascii: "-"): 62
        case UInt8(ascii: "_"): 63
        default: nil
        }
    }
}

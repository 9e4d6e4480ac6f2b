import Encodings
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
            decoded = try content.withUnsafeBytes { try Base64.decodeKey($0, .urlPaddedLines) }
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
}

import EnclaveLock
import Encodings
import KMSConfiguration
import KMSDaemon
import SecretMemory

/// Users' shares of keystores, as an operator hands them over: one line a keystore, its id, the user's name and the share in
/// standard base64, with a tab between two of them.
enum ShareFile {
    static let longest = 64 * 1024

    /// The callers by keystore.
    ///
    /// - Parameter bytes: Lent from locked memory; shares leave it to locked memory only.
    /// - Throws: ``ConfigurationError`` naming the line.
    static func callers(_ bytes: UnsafeRawBufferPointer) throws -> [ExactText: CallerShare] {
        var callers: [ExactText: CallerShare] = [:]
        var start = 0
        for (number, length) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map(\.count).enumerated()
        {
            let line = UnsafeRawBufferPointer(rebasing: bytes[start..<start + length])
            start += length + 1
            if line.isEmpty { continue }
            func wrong(_ reason: String) -> ConfigurationError { ConfigurationError("line \(number + 1): \(reason)") }
            let tabs = line.indices.filter { line[$0] == 0x09 }
            guard tabs.count == 2, let keystore = text(line, 0..<tabs[0]), let user = text(line, tabs[0] + 1..<tabs[1]),
                !keystore.isEmpty, NamingText.problem(user, limit: 1024) == nil
            else { throw wrong("expected a keystore's id, a user's name and a share, with tabs between them") }
            guard tabs[1] + 1 < line.count,
                let share = try Base64.decodeSecret(
                    UnsafeRawBufferPointer(rebasing: line[(tabs[1] + 1)...]), .eitherLines)
            else { throw wrong("the share is not base64") }
            guard callers.updateValue(CallerShare(user: user, share: share), forKey: ExactText(keystore)) == nil else {
                throw wrong("the keystore '\(TerminalEscaping.of(keystore))' is there twice")
            }
        }
        return callers
    }

    private static func text(_ line: UnsafeRawBufferPointer, _ range: Range<Int>) -> String? {
        String(validating: UnsafeRawBufferPointer(rebasing: line[range]), as: UTF8.self)
    }
}

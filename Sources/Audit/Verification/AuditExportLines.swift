import Foundation
import Glibc

/// The lines of an export, one at a time. A file that is none costs no more memory than one line.
struct AuditExportLines {
    /// Longer than any line that an export writes, in bytes.
    static let longest = 1 << 20

    private var rest: Data

    init(_ data: Data) { rest = data }

    /// The next line without its line break; nil inside for one that is longer than ``longest``, behind which nothing is read any
    /// more, and nil at the end.
    mutating func next() -> [UInt8]?? {
        guard !rest.isEmpty else { return nil }
        let length = rest.withUnsafeBytes { bytes -> Int? in
            let count = min(bytes.count, Self.longest + 1)
            if let start = bytes.baseAddress, let end = memchr(start, 0x0A, count) {
                return start.distance(to: UnsafeRawPointer(end))
            }
            return count <= Self.longest ? count : nil
        }
        guard let length else {
            rest = Data()
            return .some(nil)
        }
        let line = rest.prefix(length)
        rest = rest.dropFirst(length + 1)
        return .some([UInt8](line))
    }
}

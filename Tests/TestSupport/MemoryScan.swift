import Glibc

/// Looks for bytes in this process's own writable memory.
///
/// The pattern is kept inverted, and copies of memory are inverted before they are searched, so that the search itself never
/// writes the pattern, not even by saving registers.
public struct MemoryScan {
    public struct Unreadable: Error {}

    private let inverted: [UInt8]

    /// - Parameter inverted: The pattern with every bit flipped, 8 bytes or more.
    public init(inverted: [UInt8]) { self.inverted = inverted }

    /// How often the pattern, or the pattern backwards as little-endian numbers hold it, is in memory.
    public func count() throws -> Int {
        let file = open("/proc/self/mem", O_RDONLY)
        guard file >= 0 else { throw Unreadable() }
        defer { close(file) }
        let backwards = Array(inverted.reversed())
        var found = 0
        for region in try Self.writableRegions() {
            let copy = try Self.map(region.count)
            defer { Self.unmap(copy) }
            let length = pread(file, copy.baseAddress, copy.count, off_t(region.lowerBound))
            // The kernel refuses some regions, such as [vvar].
            guard length > 0 else { continue }
            let words = copy.bindMemory(to: UInt64.self)
            for index in words.indices { words[index] = ~words[index] }
            let memory = UnsafeRawBufferPointer(rebasing: copy[..<length])
            for pattern in [inverted, backwards] {
                found += pattern.withUnsafeBytes { Self.occurrences(of: $0, in: memory) }
            }
        }
        return found
    }

    private static func occurrences(of pattern: UnsafeRawBufferPointer, in memory: UnsafeRawBufferPointer) -> Int {
        guard let needle = pattern.baseAddress, var next = memory.baseAddress else { return 0 }
        let end = next + memory.count
        var found = 0
        while end - next >= pattern.count, let hit = memchr(next, Int32(pattern[0]), end - next - pattern.count + 1) {
            if memcmp(hit, needle, pattern.count) == 0 { found += 1 }
            next = UnsafeRawPointer(hit) + 1
        }
        return found
    }

    private static func map(_ length: Int) throws -> UnsafeMutableRawBufferPointer {
        guard let base = mmap(nil, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            base != MAP_FAILED
        else { throw Unreadable() }
        return UnsafeMutableRawBufferPointer(start: base, count: length)
    }

    private static func unmap(_ memory: UnsafeMutableRawBufferPointer) {
        guard let base = memory.baseAddress else { return }
        explicit_bzero(base, memory.count)
        munmap(base, memory.count)
    }

    private static func writableRegions() throws -> [Range<UInt>] {
        let file = open("/proc/self/maps", O_RDONLY)
        guard file >= 0 else { throw Unreadable() }
        defer { close(file) }
        var text: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while case let length = read(file, &chunk, chunk.count), length > 0 { text += chunk.prefix(length) }
        return String(decoding: text, as: UTF8.self).split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            let bounds = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            guard fields[1].hasPrefix("rw"), bounds.count == 2, bounds[1] - bounds[0] <= 256 << 20 else { return nil }
            return bounds[0]..<bounds[1]
        }
    }
}

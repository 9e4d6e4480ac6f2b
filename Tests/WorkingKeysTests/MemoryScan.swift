import Glibc

/// Looks for bytes in this process's own writable memory.
///
/// The pattern is kept inverted; its one plain copy during a search is left out of the count and wiped afterwards, and so
/// are the copies that regions are read into.
struct MemoryScan {
    struct Unreadable: Error {}

    private let inverted: [UInt8]

    /// - Parameter inverted: The pattern with every bit flipped, 8 bytes or more.
    init(inverted: [UInt8]) { self.inverted = inverted }

    /// How often the pattern, or the pattern backwards as little-endian numbers hold it, is in memory.
    func count() throws -> Int {
        let file = open("/proc/self/mem", O_RDONLY)
        guard file >= 0 else { throw Unreadable() }
        defer { close(file) }
        let pattern = try Self.map(2 * inverted.count)
        defer { Self.unmap(pattern) }
        for index in inverted.indices {
            pattern[index] = ~inverted[index]
            pattern[2 * inverted.count - 1 - index] = ~inverted[index]
        }
        let forwards = UnsafeRawBufferPointer(rebasing: pattern[..<inverted.count])
        let backwards = UnsafeRawBufferPointer(rebasing: pattern[inverted.count...])
        let own = UInt(bitPattern: pattern.baseAddress)..<UInt(bitPattern: pattern.baseAddress) + UInt(pattern.count)
        var found = 0
        for region in try Self.writableRegions() {
            let copy = try Self.map(region.count)
            defer { Self.unmap(copy) }
            let length = pread(file, copy.baseAddress, copy.count, off_t(region.lowerBound))
            // The kernel refuses some regions, such as [vvar].
            guard length > 0 else { continue }
            let memory = UnsafeRawBufferPointer(rebasing: copy[..<length])
            found += (Self.offsets(of: forwards, in: memory) + Self.offsets(of: backwards, in: memory))
                .count { !own.contains(region.lowerBound + UInt($0)) }
        }
        return found
    }

    private static func offsets(of pattern: UnsafeRawBufferPointer, in memory: UnsafeRawBufferPointer) -> [Int] {
        guard let needle = pattern.baseAddress, let start = memory.baseAddress else { return [] }
        let end = start + memory.count
        var next = start
        var found: [Int] = []
        while end - next >= pattern.count, let hit = memchr(next, Int32(pattern[0]), end - next - pattern.count + 1) {
            if memcmp(hit, needle, pattern.count) == 0 { found.append(UnsafeRawPointer(hit) - start) }
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

internal import CProcess
import Foundation
import Glibc

/// Process-wide protection of memory; call once, before any secret is read.
public enum ProcessHardening {
    /// Forbids core dumps and attaching by other processes of the same user, and gives new files mode 0600.
    ///
    /// - Throws: ``SecretMemoryError`` naming the call; the caller must not go on.
    public static func apply() throws(SecretMemoryError) {
        umask(0o077)
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        guard setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none) == 0 else {
            throw SecretMemoryError(call: "setrlimit(RLIMIT_CORE)", errno: errno)
        }
        guard kms_set_dumpable(0) == 0 else {
            throw SecretMemoryError(call: "prctl(PR_SET_DUMPABLE)", errno: errno)
        }
    }

    /// Blocks of a quarter of a megabyte and more are mapped each by itself, and so leave the process when they are freed.
    ///
    /// Else the allocator raises that bound with every such block that is freed, up to 32 MiB, and keeps the later ones, in
    /// pieces, in the arena of whichever thread freed them: what a caller sent stays in memory, and the process grows to
    /// several times what is under way.
    ///
    /// Source: mallopt(3), M_MMAP_THRESHOLD.
    public static func returnLargeBlocks() {
        // Another allocator refuses it, and has habits of its own.
        _ = kms_map_blocks_from(256 << 10)
    }

    /// Bytes that ``proveLockedMemory()`` locks.
    public static var leastLockedMemory: Int { SecretArena.floor }

    /// Proves that a few secrets of each size can be held in locked memory; nothing of it is kept.
    ///
    /// - Throws: ``SecretMemoryError``
    public static func proveLockedMemory() throws(SecretMemoryError) {
        do {
            _ = try SecretBytes.make(count: SecretArena.floor) { _ in }
        } catch let error as SecretMemoryError {
            throw error
        } catch {
            throw SecretMemoryError.locking("mlock", ENOMEM)
        }
    }

    /// Whether the limit of locked memory does not hold for this process (CAP_IPC_LOCK, capabilities(7)).
    public static var mayLockEverything: Bool {
        guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
            let line = status.split(whereSeparator: \.isNewline).first(where: { $0.utf8.starts(with: "CapEff:".utf8) }),
            let bits = UInt64(line.dropFirst(7).filter(\.isHexDigit), radix: 16)
        else { return false }
        return bits >> 14 & 1 == 1
    }
}

internal import CProcess
import Glibc

/// The access list of a file beside its mode (acl(5)): which further users and groups may read it.
struct FileAccessList {
    private enum Entry {
        case user(uid_t)
        case owningGroup
        case group(gid_t)
        case other
    }

    /// Who may read, the mask already applied.
    private let readers: [Entry]

    enum Failure: Error, CustomStringConvertible {
        case system(Int32)
        case form

        var description: String {
            switch self {
            case .system(let code): String(cString: strerror(code))
            case .form: "its form is unknown"
            }
        }
    }

    /// Nil if the file has none, or its file system knows of none.
    static func of(_ file: Int32) -> Result<FileAccessList?, Failure> {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = fgetxattr(file, "system.posix_acl_access", &bytes, bytes.count)
        guard count >= 0 else {
            let reason = errno
            return [ENODATA, EOPNOTSUPP, ENOTSUP, ENOSYS].contains(reason) ? .success(nil) : .failure(.system(reason))
        }
        guard let list = FileAccessList(reading: bytes[..<count]) else { return .failure(.form) }
        return .success(list)
    }

    /// - Parameter bytes: As the kernel gives them (linux/posix_acl_xattr.h): a version, then entries of tag, rights and id,
    ///   little-endian.
    init?(reading bytes: ArraySlice<UInt8>) {
        let bytes = Array(bytes)
        guard bytes.count >= 4, (bytes.count - 4) % 8 == 0, bytes[0] == 2, bytes[1...3].allSatisfy({ $0 == 0 }) else {
            return nil
        }
        func number(_ range: Range<Int>) -> UInt32 {
            bytes[range].reversed().reduce(0) { $0 << 8 | UInt32($1) }
        }
        var mask: UInt32 = 7
        var found: [(entry: Entry, rights: UInt32, isMasked: Bool)] = []
        for start in stride(from: 4, to: bytes.count, by: 8) {
            let (tag, rights, id) = (
                number(start..<start + 2), number(start + 2..<start + 4), number(start + 4..<start + 8)
            )
            switch tag {
            case 0x01: continue  // The owner, whom the mode tells.
            case 0x02: found.append((.user(id), rights, true))
            case 0x04: found.append((.owningGroup, rights, true))
            case 0x08: found.append((.group(id), rights, true))
            case 0x10: mask = rights
            case 0x20: found.append((.other, rights, false))
            default: return nil
            }
        }
        readers = found.filter { ($0.isMasked ? $0.rights & mask : $0.rights) & 4 != 0 }.map(\.entry)
    }

    /// Whether the file's own group may read: with a list, the group's bits of the mode are the mask and do not tell.
    var letsGroupRead: Bool {
        readers.contains { if case .owningGroup = $0 { true } else { false } }
    }

    /// A user or group who may read and is neither this user, root, the owner nor a group of this user's; nil if none is.
    func strangerWhoReads(owner: uid_t) -> String? {
        for reader in readers {
            switch reader {
            case .user(let user) where user != geteuid() && user != 0 && user != owner: return "user \(user)"
            case .group(let group) where !Self.isOwnGroup(group): return "group \(group)"
            case .other: return "everybody"
            default: continue
            }
        }
        return nil
    }

    static func isOwnGroup(_ group: gid_t) -> Bool {
        if group == getegid() { return true }
        let count = getgroups(0, nil)
        guard count > 0 else { return false }
        var groups = [gid_t](repeating: 0, count: Int(count))
        let got = getgroups(count, &groups)
        return got > 0 && groups.prefix(Int(got)).contains(group)
    }
}

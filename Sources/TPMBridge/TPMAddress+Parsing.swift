import Encodings
import Glibc
public import Token

extension TPMAddress {
    /// Parses `tpm:/dev/tpmrm0?…` or `tpm:?tcti=…&…`.
    ///
    /// - Throws: `.configurationRefused`, naming the attribute and what to write instead; the text itself is not
    ///   repeated, since a mistaken URI may hold a PIN.
    public init(parsing text: String) throws(HSMError) {
        guard text.utf8.count <= TokenURI.longestText else {
            throw TokenURI.refused("it is longer than \(TokenURI.longestText) bytes")
        }
        guard Self.isMeant(by: text) else { throw TokenURI.refused("it does not start with 'tpm:'") }
        let rest = Array(text.utf8).dropFirst(4)
        let mark = rest.firstIndex(of: UInt8(ascii: "?"))
        let place = try TokenURI.string("the device", Array(rest[..<(mark ?? rest.endIndex)]))
        var path: Path?
        if !place.isEmpty { path = .device(try Self.device(place)) }
        var address = TPMAddress(.device("/dev/tpmrm0"))
        var seen: Set<String> = []  // exact: names of parts, ASCII already.
        for (name, value) in try TokenURI.attributes(mark.map { rest[($0 + 1)...] } ?? [], .query, seen: &seen) {
            let value = try TokenURI.string(name, value)
            switch name {
            case "tcti":
                guard path == nil else { throw TokenURI.refused("give either a device's path or 'tcti'") }
                path = try Self.path(value)
            case "pin-source":
                _ = try PINSource(parsing: value)
                address.pinSource = value
            case "owner-source":
                _ = try PINSource(parsing: value)
                address.ownerSource = value
            case "handles": address.handles = try Self.handles(value)
            case "lockout":
                guard value == "on" || value == "off" else { throw TokenURI.refused("'lockout' is on or off") }
                address.lockout = value == "on"
            case "pcrs":
                guard let registers = PCRSelection(parsing: value) else {
                    throw TokenURI.refused(
                        "'pcrs' is a bank, sha256 or sha384, and registers from 0 to 23 in ascending order, such as "
                            + "sha256:0,7")
                }
                address.registers = registers
            default:
                throw TokenURI.refused(
                    "'\(TokenURI.printable(name))' is not an attribute of a TPM; known are tcti, pin-source, "
                        + "owner-source, handles, lockout and pcrs")
            }
        }
        guard let path else {
            throw TokenURI.refused("it names no TPM; write 'tpm:/dev/tpmrm0' or 'tpm:?tcti=swtpm:host=…,port=…'")
        }
        address.path = path
        self = address
    }

    private static func device(_ path: String) throws(HSMError) -> String {
        guard path.startsExactly(with: "/dev/"), !path.splitExactly(at: "/").containsExactly(".."),
            !path.endsExactly(with: "/"), !path.containsExactly("%")
        else {
            throw TokenURI.refused("a TPM's device is an absolute path below /dev, such as /dev/tpmrm0")
        }
        return path
    }

    private static func path(_ text: String) throws(HSMError) -> Path {
        if text.startsExactly(with: "device:") { return .device(try device(String(text.dropFirst(7)))) }
        guard text.startsExactly(with: "swtpm:") else {
            throw TokenURI.refused("'tcti' is 'device:/dev/…', 'swtpm:host=…,port=…' or 'swtpm:path=…'")
        }
        var host = "127.0.0.1"
        var port: UInt16?
        var names: Set<Substring> = []  // exact: names of parts, ASCII already.
        let settings = text.dropFirst(6).splitExactly(at: ",")
        for setting in settings {
            let parts = setting.splitExactly(at: "=", maxSplits: 1)
            guard parts.count == 2, !parts[1].isEmpty, names.insert(parts[0]).inserted else {
                throw TokenURI.refused("'tcti' has a setting that is not 'name=value', or has it twice")
            }
            switch parts[0] {
            case "host":
                guard isLoopback(String(parts[1])) else {
                    throw TokenURI.refused("swtpm is reached on 127.0.0.1 or ::1 only: its protocol has no protection")
                }
                host = String(parts[1])
            case "port":
                guard parts[1].utf8.count <= 5, let number = UInt16(parts[1]), number > 0,
                    parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) })
                else { throw TokenURI.refused("the port of 'tcti' is 1 to 65535") }
                port = number
            case "path":
                let path = String(parts[1])
                guard path.startsExactly(with: "/"), path.utf8.count <= longestSocketPath, settings.count == 1 else {
                    throw TokenURI.refused(
                        "the socket of 'tcti' is an absolute path of at most \(longestSocketPath) bytes, alone")
                }
                return .socket(path)
            default: throw TokenURI.refused("'tcti' knows host, port and path for swtpm")
            }
        }
        guard let port else { throw TokenURI.refused("'tcti' lacks 'port=' or 'path='") }
        return .tcp(host: host, port: port)
    }

    private static func isLoopback(_ text: String) -> Bool {
        var four = in_addr()
        if inet_pton(AF_INET, text, &four) == 1 { return UInt32(bigEndian: four.s_addr) >> 24 == 127 }
        return text == "::1"
    }

    private static func handles(_ text: String) throws(HSMError) -> UInt32 {
        guard text.startsExactly(with: "0x"), text.utf8.count == 10, let first = UInt32(text.dropFirst(2), radix: 16),
            permittedHandles.contains(first), first & 0xF == 0
        else {
            throw TokenURI.refused(
                "'handles' is the first of \(handleCount) persistent handles of the owner, such as 0x81010100, ending in 0"
            )
        }
        return first
    }
}

import Encodings
import Token

/// Where a TPM is and which of its persistent handles are ours, as `token-uri` says it.
///
///     tpm:/dev/tpmrm0?pin-source=file:/var/lib/kmsd/tpm.pin
///     tpm:?tcti=device:/dev/tpm0&pin-source=credential:tpm
///     tpm:?tcti=swtpm:host=127.0.0.1,port=2321&pin-source=file:/var/lib/kmsd/tpm.pin&handles=0x81010200
///     tpm:?tcti=swtpm:path=/run/swtpm.sock&pin-source=file:/var/lib/kmsd/tpm.pin
///
/// Strict: unknown, repeated and empty attributes are refused. Only these two ways to a TPM exist; nothing is loaded by
/// name.
public struct TPMAddress: Hashable, Sendable, CustomStringConvertible {
    /// The way to the TPM.
    public enum Path: Hashable, Sendable, CustomStringConvertible {
        /// A character device; the kernel's resource manager if its name says `tpmrm`.
        case device(String)
        /// swtpm on TCP; a numeric loopback address.
        case tcp(host: String, port: UInt16)
        /// swtpm on a Unix socket.
        case socket(String)

        /// As `tcti=` spells it.
        public var description: String {
            switch self {
            case .device(let path): "device:\(path)"
            case .tcp(let host, let port): "swtpm:host=\(host),port=\(port)"
            case .socket(let path): "swtpm:path=\(path)"
            }
        }

        /// Whether somebody keeps the contexts of several users of the TPM apart.
        public var isManaged: Bool {
            guard case .device(let path) = self else { return false }
            return path.splitExactly(at: "/", omittingEmpty: true).last?.startsExactly(with: "tpmrm") == true
        }
    }

    public var path: Path
    /// `file:/path`, `/path` or `credential:NAME`: the secret that the keys' authorization values are made of.
    public var pinSource: String?
    /// The same for the owner hierarchy's authorization value; needed to make objects only, and only if it is set.
    public var ownerSource: String?
    /// The first of ``handleCount`` persistent handles in a row.
    public var handles: UInt32
    /// Whether wrong authorization values for the keys count towards the TPM's lockout.
    public var lockout: Bool
    /// The registers whose values the keys are bound to; nil for keys that work in any state.
    public var registers: PCRSelection?

    /// Persistent handles used: the storage key, one for each role with a key of its own, and the attestation key.
    public static let handleCount: UInt32 = 7
    public static let standardHandles: UInt32 = 0x8101_0100
    /// Persistent handles of the owner hierarchy (TCG Registry of Reserved TPM 2.0 Handles).
    static let permittedHandles: ClosedRange<UInt32> = 0x8100_0000...(0x8180_0000 - handleCount)
    /// A Unix socket's address holds this many bytes.
    static let longestSocketPath = 107

    public init(
        _ path: Path, pinSource: String? = nil, ownerSource: String? = nil,
        handles: UInt32 = TPMAddress.standardHandles, lockout: Bool = false, registers: PCRSelection? = nil
    ) {
        self.path = path
        self.pinSource = pinSource
        self.ownerSource = ownerSource
        self.handles = handles
        self.lockout = lockout
        self.registers = registers
    }

    /// Whether `text` means a TPM at all.
    public static func isMeant(by text: String) -> Bool { text.asciiLowercased().startsExactly(with: "tpm:") }

    /// Canonical text. It holds no secret.
    public var description: String {
        var query = ["tcti=\(TokenURI.encoded(path.description.utf8, .query))"]
        if let pinSource { query.append("pin-source=\(TokenURI.encoded(pinSource.utf8, .query))") }
        if let ownerSource { query.append("owner-source=\(TokenURI.encoded(ownerSource.utf8, .query))") }
        if handles != Self.standardHandles { query.append("handles=0x\(String(handles, radix: 16))") }
        if lockout { query.append("lockout=on") }
        if let registers { query.append("pcrs=\(TokenURI.encoded(registers.description.utf8, .query))") }
        return "tpm:?" + query.joined(separator: "&")
    }
}

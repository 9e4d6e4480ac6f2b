import Glibc
import Token

/// The right of one process of this machine to use a TPM that no resource manager shares: an abstract socket's name,
/// which the kernel gives back whatever becomes of the process.
struct ExclusiveUse: ~Copyable {
    private let descriptor: Int32

    /// - Throws: `.tokenUnavailable` while another process has it.
    init(of path: TPMAddress.Path) throws(HSMError) {
        let opened = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard opened >= 0 else { throw HSMError(.overloaded, "No descriptor is left.") }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // A leading NUL: the name is not a file. Cut to what fits; paths that long differ in front.
        let name = [0] + Array("kmsd/tpm/\(path)".utf8).suffix(100)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
        let code = withUnsafeBytes(of: &address) { raw in
            bind(opened, raw.baseAddress?.assumingMemoryBound(to: sockaddr.self), length)
        }
        guard code == 0 else {
            close(opened)
            throw HSMError(
                .tokenUnavailable,
                "Another process uses this TPM; only one can without a resource manager. Stop it, or use /dev/tpmrm0.")
        }
        // Not before: a throw would run `deinit`, and what is closed twice is somebody else's the second time.
        descriptor = opened
    }

    deinit { close(descriptor) }
}

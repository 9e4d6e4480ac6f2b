import Encodings

/// Where a vault is: its server, and its name there.
///
/// - Source: Encrypted Data Vaults draft, HTTP API; TrustBloc key server, whose `vault_url` ends with the vault's id.
public struct VaultAddress: Sendable, Hashable {
    /// Longest address, in bytes.
    public static let longest = 2_048

    /// Without slash at its end.
    public let server: String
    public let vault: String

    /// Splits an address at its last slash.
    ///
    /// Only the form is checked here. Whether the server may be called is the outbound guard's decision, made again at
    /// every call.
    ///
    /// - Throws: `.invalidArgument` saying what is wrong.
    public init(_ url: String) throws(EDVError) {
        func refused(_ reason: String) -> EDVError { EDVError(.invalidArgument, "The vault's URL \(reason).") }
        guard url.utf8.count <= Self.longest else { throw refused("has more than \(Self.longest) bytes") }
        let scheme = ["https://", "http://"].first { url.asciiLowercased().startsExactly(with: $0) }
        guard let scheme else { throw refused("does not begin with https:// or http://") }
        let rest = Substring(url.utf8.dropFirst(scheme.utf8.count))
        guard rest.utf8.allSatisfy(Self.isPlain) else {
            throw refused("holds a character other than letters, digits and - . _ ~ : / [ ]")
        }
        // exact: ASCII since the check above.
        guard let slash = rest.lastIndex(of: "/"), slash > rest.startIndex else {
            throw refused("does not end with '/' and the vault's id")
        }
        let vault = rest[rest.index(after: slash)...]
        guard (1...128).contains(vault.utf8.count), vault.utf8.allSatisfy(PercentEncoding.isUnreserved) else {
            throw refused("does not end with a vault's id of 1 to 128 letters, digits and - . _ ~")
        }
        let segments = rest[rest.startIndex..<slash].splitExactly(at: "/")
        guard !(segments + [vault]).contains(where: { $0.isEmpty || $0 == "." || $0 == ".." }),
            segments.dropFirst().allSatisfy({ $0.utf8.allSatisfy(PercentEncoding.isUnreserved) })
        else { throw refused("has an empty, '.' or '..' part in its path") }
        server = String(scheme + rest[rest.startIndex..<slash])
        self.vault = String(vault)
    }

    /// The URL of the vault's documents.
    var documents: String { "\(server)/\(vault)/documents" }

    /// Path of a URL made here, as the request line carries it.
    static func path(of url: String) -> String {
        let parts = url.splitExactly(at: "/", maxSplits: 3)
        return parts.count == 4 ? "/" + parts[3] : "/"
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        PercentEncoding.isUnreserved(byte) || [UInt8](":/[]".utf8).contains(byte)
    }
}

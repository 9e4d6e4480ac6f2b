import DecryptionStore
import KMSConfiguration
import LightClient
import Storage

extension Doctor {
    /// Whether a conflict stands of a chain that the decryption API follows: as the file says, also beside the daemon.
    mutating func lookAtChains(_ settings: Configuration) {
        let path = Application.decryptionPath(home: settings.home)
        guard FilePresence.exists(path) else { return }
        do {
            for (chainID, state) in try DecryptionStore.heads(inFile: path) {
                guard let conflict = try KeptState(decoding: state).conflict else { continue }
                checks.append(
                    Check(
                        name: "chain", grade: .fail,
                        message: "'\(TerminalEscaping.of(chainID))': \(TerminalEscaping.of(conflict.error.message))",
                        remedy: "find out which header is right, and see `kmsd decryption chain resolve --help`"))
            }
        } catch {
            add("chain", error, remedy: "stop the daemon and restore the last backup")
        }
    }
}

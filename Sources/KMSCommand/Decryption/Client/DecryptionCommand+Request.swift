import ArgumentParser
import Decryption
import DecryptionAPI
import DecryptionClient
import Encodings
import Foundation
import InclusionProofs
import KMSDaemon
import LibCrypto
import LightClient
import OutboundHTTP
import SecretMemory
import TFHE

extension DecryptionCommand {
    /// `kmsd decryption request`.
    struct Request: ClientVerb {
        static let configuration = CommandConfiguration(
            commandName: "request",
            abstract: "Play a full node: prove that a ciphertext is marked, and ask for its value.",
            discussion: """
                Fetches the proof from a node's RPC (or takes it from a file) and asks the daemon: to decrypt for everybody, \
                or with --permit to re-encrypt for a wallet. Question and answer are written to --out as they were on the \
                wire; nothing is believed yet: `kmsd decryption verify` or `open` checks them.

                An array of Concrete's: --format concrete-array with --array-length. With --permit and --decryptor, which may \
                be repeated, a list of permissible decryptors goes along in place of a proof of its own: each account's \
                permission is fetched and proven, and the permit's account must be among them.

                  kmsd decryption request --type u8 --format raw-0.6 --key k --out a c.bin
                  kmsd decryption request --service GA --type u8 --out a.json c.bin
                """)

        @OptionGroup(title: "Server") var server: DecryptionServerOptions
        @Option(help: "own, or the generation that the daemon serves beside it: GA, GB or GN.") var service:
            ClientService =
                .own
        @Option(help: "The value's type: bool, u4, u8, u16, u32, u64, u128, u160, u256, or i8 and so on with a sign.")
        var type: String
        @Option(
            help: """
                The ciphertext's format, for the own service: raw-0.4, raw-0.6, safe-0.3, safe-0.5, raw-1.x or \
                concrete-array.
                """)
        var format: String?
        @Option(help: "How many numbers an array has, 2 to 256.") var arrayLength: UInt32?
        @Option(help: "The daemon's name for the TFHE key; GA and GN have no place for it.") var key: String?
        @Option(help: "Re-encrypt for the wallet that made this permit, and by its permission.") var permit: String?
        @Option(
            name: .customLong("decryptor"),
            help: "With --permit: an account of a list of permissible decryptors; up to 16, each proven.")
        var decryptors: [String] = []
        @Option(
            help: """
                Who asks (GA, and GB's re-encryption): a file of mode 0600 with a secp256k1 key, 64 hexadecimal digits. A \
                fresh key without it.
                """)
        var requester: String?
        @OptionGroup(title: "Proof") var contract: ContractOptions
        @Option(help: "A node's RPC. [KMS_DECRYPTION_RPC]") var rpc: String?
        @Option(help: "The header to prove against; the node's latest without it.") var height: Int64?
        @Option(help: "Take the proof (tendermint.crypto.ProofOps) from this file, for the header of --height.")
        var proof: String?
        @Option(help: "Where question and answer go: a new file.") var out: String
        @Option(help: "text or json.") var output: OutputFormat = .text
        @Argument(help: "The ciphertext's file.") var ciphertext: String

        func work() async throws -> ExitStatus {
            let channel = try server.channel()
            let bytes = try InputFile.read(ciphertext, upTo: DecryptionChannel.longestMessage)
            let number = try TypeArgument.number(type, service)
            let receiver = try permit.map { try PermitFile.read($0) }
            let handle = Handles.handle(of: bytes)
            let listed = try decryptors.map { try HexArgument.bytes($0, 20, "--decryptor") }
            let shown: Shown
            if listed.isEmpty {
                let proven = try await evidence(handle, receiver.map { .reencrypt(account: $0.account) } ?? .decrypt)
                shown = Shown(height: proven.height, proof: proven.proof)
            } else {
                shown = try await list(of: listed, receiver?.account, handle)
            }
            let height = shown.height
            let question = try self.question(bytes, number, shown, receiver)
            let message = try question.encoded()
            let answer: [UInt8]
            do throws(DecryptionCallError) {
                answer = try await channel.call(question.service, question.method, message)
            } catch { throw Self.explained(error, height) }
            try AnswerFile(
                service: service, purpose: receiver == nil ? "decrypt" : "reencrypt", question: Data(message),
                answer: Data(answer)
            ).write(to: out)
            let name = "0x" + Hexadecimal.encode(handle)
            switch output {
            case .json:
                try Terminal.print(json: ["handle": name, "height": "\(height)", "answer": out])
            case .text:
                Terminal.print(
                    "answered: \(name) at height \(height); check it with kmsd decryption "
                        + (receiver == nil ? "verify" : "open"))
            }
            return .ok
        }

        /// Says what to do about what a newcomer meets first.
        private static func explained(_ error: DecryptionCallError, _ height: Int64) -> CommandFailure {
            var failure = CommandFailure(client: error)
            switch error.status {
            case "UNIMPLEMENTED":
                failure.description +=
                    ". The daemon serves one generation: its decryption-generation must be that of --service"
            case "UNAVAILABLE" where error.message.startsExactly(with: "Could not establish"):
                failure.description += ". Is it started with decryption-host (KMS_DECRYPTION_HOST) set?"
            default: break
            }
            return failure
        }
    }
}

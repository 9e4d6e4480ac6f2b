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
            abstract: "Play a full node: prove that a ciphertext is marked, and ask for its value.",
            discussion: """
                Fetches the proof from a node's RPC (or takes it from a file) and asks the daemon: to decrypt for everybody, \
                or with --permit to re-encrypt for a wallet. Question and answer are written to --out as they were on the \
                wire; nothing is believed yet: `kmsd decryption verify` or `open` checks them.

                  kmsd decryption request --type u8 --format raw-0.6 --key k --out a c.bin
                  kmsd decryption request --service GA --type u8 --out a.json c.bin
                """)

        @OptionGroup(title: "Server") var server: DecryptionServerOptions
        @Option(help: "own, or the generation that the daemon serves beside it: GA or GB.") var service: ClientService =
            .own
        @Option(help: "The value's type: bool, u4, u8, u16, u32, u64, u128, u160 or u256.") var type: String
        @Option(help: "The ciphertext's format, for the own service: raw-0.4, raw-0.6, safe-0.3, safe-0.5 or raw-1.x.")
        var format: String?
        @Option(help: "The daemon's name for the TFHE key; GA has no place for it.") var key: String?
        @Option(help: "Re-encrypt for the wallet that made this permit, and by its permission.") var permit: String?
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
            let (height, proof) = try await evidence(
                Handles.handle(of: bytes), receiver.map { .reencrypt(account: $0.account) } ?? .decrypt)
            let question: ServiceQuestion =
                if let generation = service.generation {
                    try legacy(
                        generation, bytes, number, height, proof, receiver.map { ($0.encryptionKey, $0.authorization) })
                } else {
                    .own(try own(bytes, number, height, proof, receiver.map { ($0.encryptionKey, $0.authorization) }))
                }
            let message = try question.encoded()
            let answer: [UInt8]
            do throws(DecryptionCallError) {
                answer = try await channel.call(question.service, question.method, message)
            } catch { throw Self.explained(error, height) }
            try AnswerFile(
                service: service, purpose: receiver == nil ? "decrypt" : "reencrypt", question: Data(message),
                answer: Data(answer)
            ).write(to: out)
            let handle = "0x" + Hexadecimal.encode(Handles.handle(of: bytes))
            switch output {
            case .json:
                try Terminal.print(json: ["handle": handle, "height": "\(height)", "answer": out])
            case .text:
                Terminal.print(
                    "answered: \(handle) at height \(height); check it with kmsd decryption "
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

        /// Height and proof, from a file or a node.
        private func evidence(
            _ handle: [UInt8], _ permission: AccessList.Permission
        ) async throws -> (Int64, [UInt8]) {
            if let proof {
                guard let height, height > 0 else {
                    throw CommandFailure.usage("--proof needs --height, that of its header")
                }
                return (height, try InputFile.read(proof, upTo: StoreProof.maximumLength))
            }
            guard let node = rpc ?? RemoteOptions.variable("KMS_DECRYPTION_RPC") else {
                throw CommandFailure.usage("no node is named; give --rpc or KMS_DECRYPTION_RPC, or a --proof")
            }
            guard let list = try contract.accessList() else {
                throw CommandFailure.usage("no contract is named; give --contract or KMS_DECRYPTION_ACL_CONTRACT")
            }
            var height = height ?? 0
            if height == 0 {
                let answer = try await NodeCall.send("GET", node, "/status", option: "--rpc")
                do throws(LightClientError) { height = try NodeReply.status(answer.body).latestHeight } catch {
                    throw CommandFailure(.failed, code: error.code.rawValue, "--rpc \(node): \(error.message)")
                }
            }
            guard height > 1 else { throw CommandFailure(.failed, code: "height", "no header below 2 proves a state") }
            let path = try ProofReply.path(permission, of: handle, in: list, height: height)
            let answer = try await NodeCall.send("GET", node, path, option: "--rpc")
            do throws(ClientError) { return (height, try ProofReply.proof(answer.body, height: height)) } catch {
                guard error.code.isExactly("not-marked") else { throw error }
                var whose = "for everybody"
                if case .reencrypt(let account) = permission { whose = "for account 0x" + Hexadecimal.encode(account) }
                throw CommandFailure(
                    .permission, code: error.code,
                    "\(error.message): handle 0x\(Hexadecimal.encode(handle)), \(whose), contract 0x\(Hexadecimal.encode(list.contract)). "
                        + "A mark counts two blocks after its transaction; on a trial chain kmsd dev chain allow makes one"
                )
            }
        }

        private func own(
            _ ciphertext: [UInt8], _ type: UInt32, _ height: Int64, _ proof: [UInt8],
            _ receiver: (key: [UInt8], authorization: [UInt8])?
        ) throws -> OwnRequest {
            guard let format = format.flatMap(CiphertextFormat.init(rawValue:)) else {
                throw CommandFailure.usage(
                    "--format: the own service needs raw-0.4, raw-0.6, safe-0.3, safe-0.5 or raw-1.x")
            }
            guard let key, !key.isEmpty else {
                throw CommandFailure.usage("--key: the answer's signature names the key, so the question must, too")
            }
            guard requester == nil else {
                throw CommandFailure.usage(
                    "--requester: the own service knows callers by their certificates, not by keys")
            }
            return OwnRequest(
                requestID: try Random.bytes(32), keyID: key, ciphertext: ciphertext, format: format, fheType: type,
                height: UInt64(height), proof: proof,
                receiver: receiver.map {
                    OwnRequest.Receiver(
                        encryptionKey: $0.key, authorization: nil, encodedAuthorization: $0.authorization)
                })
        }

        private func legacy(
            _ generation: Generation, _ ciphertext: [UInt8], _ type: UInt32, _ height: Int64, _ proof: [UInt8],
            _ receiver: (key: [UInt8], authorization: [UInt8])?
        ) throws -> ServiceQuestion {
            guard format == nil else {
                throw CommandFailure.usage("--format: with GA and GB the daemon's decryption-format says it")
            }
            guard (key == nil) == (generation == .ga) else {
                throw CommandFailure.usage(
                    "--key: GB needs the daemon's name for the key, and GA has no place for it (decryption-key says it)"
                )
            }
            guard let number = UInt32(exactly: height) else {
                throw CommandFailure.usage("--height: GA and GB have 32 bits")
            }
            var request = LegacyRequest(generation, receiver == nil ? .decrypt : .reencrypt)
            request.fheType = type
            request.ciphertext = ciphertext
            request.randomness = try Random.bytes(generation == .ga ? 32 : 16)
            request.height = number
            request.proof = proof
            if generation == .gb {
                (request.version, request.serversNeeded, request.keyHandle) = (1, 1, key ?? "")
            }
            if let receiver { request.encryptionKey = WireDER.octets(receiver.key).encoded }
            if generation == .ga || receiver != nil {
                let signer = try requester.map {
                    try SigningKey(curve: .secp256k1, privateKey: WalletDirectory.read($0))
                }
                let key = try signer ?? SigningKey.generate(.secp256k1)
                request.verificationKey = WireDER.octets(try Secp256k1Point.compressed(key.publicKey)).encoded
                request.signature = WireDER.octets(try key.sign(request.encoded, encoding: .p1363)).encoded
            }
            return .legacy(request, authorization: receiver?.authorization ?? [])
        }
    }
}

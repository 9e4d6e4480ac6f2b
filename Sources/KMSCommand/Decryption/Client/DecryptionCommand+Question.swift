import Decryption
import DecryptionAPI
import DecryptionClient
import Encodings
import InclusionProofs
import KMSDaemon
import LibCrypto
import LightClient
import OutboundHTTP
import TFHE

/// What a question is made of.
extension DecryptionCommand.Request {
    /// What shows that the answer may be given.
    struct Shown {
        var height: Int64
        var proof: [UInt8]
        /// Of permissible decryptors, in place of a proof.
        var list: PermissibleDecryptors?
    }

    typealias Receiver = (account: [UInt8], encryptionKey: [UInt8], authorization: [UInt8])

    func question(
        _ ciphertext: [UInt8], _ type: UInt32, _ shown: Shown, _ receiver: Receiver?
    ) throws -> ServiceQuestion {
        guard service == .own || arrayLength == nil else {
            throw CommandFailure.usage("--array-length: arrays are decrypted by the own service")
        }
        guard let generation = service.generation else {
            return .own(try own(ciphertext, type, shown, receiver))
        }
        return try legacy(generation, ciphertext, type, shown, receiver)
    }

    /// A list of permissible decryptors, with the proof of each.
    func list(of accounts: [[UInt8]], _ receiver: [UInt8]?, _ handle: [UInt8]) async throws -> Shown {
        guard let receiver, accounts.contains(receiver) else {
            throw CommandFailure.usage("--decryptor: the account of --permit must be one of them")
        }
        guard proof == nil else {
            throw CommandFailure.usage("--decryptor: its proofs come from a node, not from --proof")
        }
        guard accounts.count <= 16, Set(accounts).count == accounts.count else {
            throw CommandFailure.usage("--decryptor: expected at most 16 accounts, none twice")
        }
        guard let contract = try contract.accessList()?.contract else {
            throw CommandFailure.usage("no contract is named; give --contract or KMS_DECRYPTION_ACL_CONTRACT")
        }
        var shown = Shown(height: height ?? 0, proof: [])
        var entries: [PermissibleDecryptors.Entry] = []
        for account in accounts {
            let proven = try await evidence(
                handle, .reencrypt(account: account), at: shown.height == 0 ? nil : shown.height)
            shown.height = proven.height
            entries.append(PermissibleDecryptors.Entry(account: account, proof: proven.proof))
        }
        shown.list = PermissibleDecryptors(contract: contract, handle: handle, accounts: accounts, proofs: entries)
        return shown
    }

    /// Height and proof, from a file or a node.
    func evidence(
        _ handle: [UInt8], _ permission: AccessList.Permission, at wanted: Int64? = nil
    ) async throws -> (height: Int64, proof: [UInt8]) {
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
        var height = wanted ?? height ?? 0
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
        _ ciphertext: [UInt8], _ type: UInt32, _ shown: Shown, _ receiver: Receiver?
    ) throws -> OwnRequest {
        guard let format = format.flatMap(CiphertextFormat.init(rawValue:)) else {
            throw CommandFailure.usage(
                "--format: the own service needs raw-0.4, raw-0.6, safe-0.3, safe-0.5, raw-1.x or concrete-array")
        }
        let isArray = format == .concreteArray
        guard isArray ? (2...256).contains(arrayLength ?? 0) : arrayLength == nil else {
            throw CommandFailure.usage(
                "--array-length: expected 2 to 256 with --format concrete-array, and only there")
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
            arrayLength: arrayLength ?? 0, height: UInt64(shown.height), proof: shown.proof,
            receiver: try receiver.map {
                OwnRequest.Receiver(
                    encryptionKey: $0.encryptionKey, authorization: nil, encodedAuthorization: $0.authorization,
                    list: shown.list, encodedList: try shown.list?.encoded() ?? [])
            })
    }

    private func legacy(
        _ generation: Generation, _ ciphertext: [UInt8], _ type: UInt32, _ shown: Shown, _ receiver: Receiver?
    ) throws -> ServiceQuestion {
        guard format == nil else {
            throw CommandFailure.usage("--format: with GA, GB and GN the daemon's decryption-format says it")
        }
        guard (key == nil) == (generation != .gb) else {
            throw CommandFailure.usage(
                "--key: GB needs the daemon's name for the key; GA and GN have no place for it (decryption-key says it)"
            )
        }
        guard let number = UInt32(exactly: shown.height) else {
            throw CommandFailure.usage("--height: GA, GB and GN have 32 bits")
        }
        var request = LegacyRequest(generation, receiver == nil ? .decrypt : .reencrypt)
        request.fheType = type
        request.ciphertext = ciphertext
        request.height = number
        request.proof = shown.proof
        let list = try shown.list?.encoded() ?? []
        if generation == .gn {
            guard requester == nil else {
                throw CommandFailure.usage("--requester: nobody signs the requests of GN")
            }
            // In a re-encryption the wallet's key; else what makes the question this one.
            request.content = try receiver?.encryptionKey ?? Random.bytes(32)
            return .legacy(request, authorization: receiver?.authorization ?? [], list: list)
        }
        request.randomness = try Random.bytes(generation == .ga ? 32 : 16)
        if generation == .gb {
            (request.version, request.serversNeeded, request.keyHandle) = (1, 1, key ?? "")
        }
        if let receiver { request.encryptionKey = WireDER.octets(receiver.encryptionKey).encoded }
        if generation == .ga || receiver != nil {
            let signer = try requester.map {
                try SigningKey(curve: .secp256k1, privateKey: WalletDirectory.read($0))
            }
            let key = try signer ?? SigningKey.generate(.secp256k1)
            request.verificationKey = WireDER.octets(try Secp256k1Point.compressed(key.publicKey)).encoded
            request.signature = WireDER.octets(try key.sign(request.encoded, encoding: .p1363)).encoded
        }
        return .legacy(request, authorization: receiver?.authorization ?? [], list: list)
    }
}

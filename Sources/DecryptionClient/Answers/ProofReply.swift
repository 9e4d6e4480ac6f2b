import Encodings
public import InclusionProofs
import LightClient

/// What a node answers to `abci_query`, turned into the proof that requests carry.
public enum ProofReply {
    /// Where the proof of a permission is asked for.
    ///
    /// - Parameter height: Of the header that the proof is for: the state is the one after the block before it.
    public static func path(
        _ permission: AccessList.Permission, of handle: [UInt8], in list: AccessList, height: Int64
    ) throws(ProofError) -> String {
        let key = Hexadecimal.encode(try list.storeKey(permission, handle: handle))
        return "/abci_query?path=%22/store/evm/key%22&data=0x\(key)&height=\(height - 1)&prove=true"
    }

    /// `tendermint.crypto.ProofOps`. It is checked by who gets it.
    ///
    /// - Throws: ``ClientError`` `not-marked` if the node shows no permission.
    public static func proof(_ reply: [UInt8], height: Int64) throws(ClientError) -> [UInt8] {
        guard let document = try? JSONNode(reading: reply) else {
            throw ClientError("node", "the node's answer is no JSON; is --rpc a node's RPC?")
        }
        if let error = document["error"] {
            throw ClientError(
                "node", "the node refused: \(HarmlessWords.of(error["data"]?.text ?? error["message"]?.text))")
        }
        guard let response = document["result"]?["response"], response["code"]?.wholeNumber ?? 0 == 0 else {
            throw ClientError("node", "the node's answer to abci_query holds no response")
        }
        let value = response["value"]?.text.flatMap { Base64.decode($0) }
        guard value == AccessList.granted else {
            throw ClientError("not-marked", "the chain has not marked this ciphertext in the state of header \(height)")
        }
        guard let operations = response["proofOps"]?["ops"]?.elements, operations.count == 2 else {
            throw ClientError("node", "the node's proof has not the two operations ics23:iavl and ics23:simple")
        }
        var writer = ProtobufWriter()
        for operation in operations {
            guard let type = operation["type"]?.text, let key = operation["key"]?.text.flatMap({ Base64.decode($0) }),
                let data = operation["data"]?.text.flatMap({ Base64.decode($0) })
            else { throw ClientError("node", "the node's proof has an operation without type, key or data") }
            writer.message(
                1,
                ProtobufWriter.writing {
                    $0.bytes(1, Array(type.utf8))
                    $0.bytes(2, key)
                    $0.bytes(3, data)
                })
        }
        return writer.bytes
    }
}

/// A node's words, fit for a message.
enum HarmlessWords {
    static func of(_ text: String?) -> String {
        String(decoding: (text ?? "it says nothing").utf8.prefix(200).filter { 0x20...0x7E ~= $0 }, as: UTF8.self)
    }
}

import Foundation
import GRDB
import LibCrypto
import SecretMemory
import SwiftProtobuf
import TFHE

@testable import Decryption
@testable import DecryptionAPI
@testable import DecryptionStore

extension FuzzTarget {
    /// Questions to the decryption API, in protobuf and in what is signed, and the rows that it stores.
    static let decryptions = [
        // The first byte names the message.
        FuzzTarget("decryption-message", longest: 2048) { bytes throws(FuzzFinding) in
            guard let first = bytes.first else { return }
            let body = Array(bytes.dropFirst())
            switch first % 8 {
            case 0: try holds(body, .gaDecryption, GADecryptionRequest.self)
            case 1: try holds(body, .gaReencryption, GAReencryptionRequest.self)
            case 2: try holds(body, .gbDecryption, GBDecryptionRequest.self)
            case 3: try holds(body, .gbReencryption, GBReencryptionRequest.self)
            case 4: try holds(body, .publicDecryption, OwnPublicDecryptRequest.self)
            case 6: try holds(body, .gnDecryption, GNDecryptionRequest.self)
            case 7: try holds(body, .gnReencryption, GNReencryptionRequest.self)
            default: try holds(body, .userDecryption, OwnUserDecryptRequest.self)
            }
        },
        FuzzTarget("user-authorization", longest: 1024) { bytes throws(FuzzFinding) in
            guard parsed({ try bytes.withUnsafeBytes { try MessageShape.authorization.check($0) } }) != nil,
                let authorization = parsed({ try Authorizations.read(Data(bytes)) }) ?? nil
            else { return }
            let (one, other) = ([UInt8](repeating: 1, count: 32), [UInt8](repeating: 2, count: 32))
            func signer(_ authorization: UserAuthorization, _ key: [UInt8]) -> [UInt8]? {
                parsed {
                    try authorization.signer(
                        encryptionKey: key,
                        domain: .init(chainID: authorization.chainID, contract: authorization.verifyingContract),
                        now: authorization.start)
                }
            }
            guard let account = signer(authorization, one) else { return }
            try claim(account.count == 20, "an account of another length")
            try claim(signer(authorization, other) != account, "an authorisation holds for any key")
            var later = authorization
            later.chainID &+= 1
            try claim(signer(later, one) != account, "an authorisation holds on any chain")
            try claim(
                parsed {
                    try authorization.signer(
                        encryptionKey: one, domain: .init(chainID: later.chainID, contract: later.verifyingContract),
                        now: authorization.start)
                } == nil, "an authorisation of another chain is taken")
            _ = authorization.explanation(encryptionKey: one, account: account)
        },
        // Pieces behind their lengths: what a request of generation GA or GB holds. Its DER is read back by other code.
        FuzzTarget("legacy-request", longest: 1024) { bytes throws(FuzzFinding) in
            guard let first = bytes.first else { return }
            var pieces = Pieces(rest: bytes.dropFirst())
            var request = LegacyRequest(first & 1 == 0 ? .ga : .gb, first & 2 == 0 ? .decrypt : .reencrypt)
            (request.verificationKey, request.encryptionKey) = (pieces.next(), pieces.next())
            (request.ciphertext, request.randomness, request.proof) = (pieces.next(), pieces.next(), pieces.next())
            request.keyHandle = text(pieces.next())
            (request.fheType, request.height) = (pieces.number(), pieces.number())
            (request.version, request.serversNeeded) = (pieces.number(), pieces.number())
            let encoded = request.encoded
            try comesBack(request, encoded)
            let digests = try accepted("hashing a request") {
                (
                    try LegacyRequest.digest(ofEncoded: encoded),
                    try Digest.sha3of256(WireDER.vector(encoded).encoded)
                )
            }
            try claim(digests.0 == digests.1, "a digest in pieces is another one")
        },
        FuzzTarget("wire-key", longest: 80) { bytes throws(FuzzFinding) in
            let keys = [
                parsed { try WireKeys.verificationKey(bytes) }, parsed { try WireKeys.encryptionKey(bytes) },
                parsed { try WireKeys.signature(bytes) },
            ]
            for key in keys.compactMap({ $0 }) {
                try claim(WireDER.octets(key).encoded == bytes, "a key has a second spelling")
            }
            guard let key = parsed({ try WireKeys.verificationKey(bytes) }) else { return }
            let zeros = [UInt8](repeating: 0, count: 64)
            try claim(
                parsed { try ClientSignature.verify(bytes, key: key, signature: zeros) } == nil,
                "a signature of zeros verifies")
        },
        FuzzTarget("signcryption", longest: 512) { bytes throws(FuzzFinding) in
            var pieces = Pieces(rest: bytes[...])
            let (receiver, encryptionKey, message) = (pieces.next(), pieces.next(), pieces.next())
            let key = [2] + [UInt8](repeating: 9, count: 32)
            let signcryption = Signcryption(receiver: receiver, encryptionKey: encryptionKey, verificationKey: key)
            let signature = [UInt8](repeating: 3, count: 64)
            let nonce = [UInt8](repeating: 4, count: CryptoBox.nonceLength)
            let ephemeral = try accepted("a fresh key") { try AgreementKey.generate(.x25519) }
            guard
                let sealed = parsed({
                    let message = try SecretBytes.make(count: message.count) { $0.copyBytes(from: message) }
                    return try signcryption.seal(message, signature: signature, ephemeral: ephemeral, nonce: nonce)
                })
            else { return }
            try claim(encryptionKey.count == 32, "a box for a key of another length")
            var outer = WireReader(rest: sealed[...])
            var inner = try outer.sequence()
            try outer.end()
            let (box, sentNonce, sentKey) = (try inner.vector(), try inner.vector(), try inner.octets())
            try claim(sentNonce == nonce && sentKey == ephemeral.publicKey, "another nonce or key is sent")
            try inner.end()
            let opened = try accepted("opening a box") {
                let secret = try ephemeral.privateKey()
                return try CryptoBox.open(box, nonce: nonce, from: encryptionKey, to: secret)
            }
            let tail = try accepted("digests of keys") {
                try Digest.sha3of256([4, 33] + key) + Digest.sha3of256([4, 32] + ephemeral.publicKey)
            }
            try claim(opened == message + signature + tail, "a box holds something else")
        },
        FuzzTarget("kept-answer", longest: 2048) { bytes throws(FuzzFinding) in
            guard let answer = parsed({ try DecryptionStore.answer(stored: Data(bytes)) }) else { return }
            let written = DecryptionStore.encoded(answer)
            let again = try accepted("an answer that was written") { try DecryptionStore.answer(stored: written) }
            try claim(again == answer, "an answer does not come back")
            // As the front gives it out.
            _ = OwnService.verified(answer)
            _ = answer.signed(method: "public-decrypt")
        },
        // Lines of a column's name, `=`, then `i` and a number, `t` and a text, or `b` and hexadecimal.
        FuzzTarget("decryption-key-row", longest: 1024) { bytes throws(FuzzFinding) in
            guard let record = parsed({ try DecryptionStore.key(row(text(bytes))) }) else { return }
            try claim(DecryptionKeyRecord.isName(record.id), "a stored name is none: \(record.id)")
            try claim(record.fingerprint.count == 32, "a fingerprint of another length")
            try claim((16...8192).contains(record.parameters.length), "a length beyond its bounds")
            _ = OwnService.key(record)
        },
    ]

    /// A message of the right shape is read whole: written again, it has the same shape and says the same.
    private static func holds<Message: SwiftProtobuf.Message & Equatable>(
        _ body: [UInt8], _ shape: MessageShape, _ type: Message.Type
    ) throws(FuzzFinding) {
        let strict = StrictDeserializer<Message>(shape: shape, limit: 2048)
        guard let message = parsed({ try strict.deserialize(FuzzBytes(bytes: body)) }) else { return }
        let written: [UInt8] = try accepted("writing a message") { try message.serializedBytes() }
        let again = try accepted("a message that was written") { try strict.deserialize(FuzzBytes(bytes: written)) }
        try claim(again == message, "a message does not come back")
    }

    private static func comesBack(_ request: LegacyRequest, _ encoded: [UInt8]) throws(FuzzFinding) {
        var outer = WireReader(rest: encoded[...])
        var fields = try outer.sequence()
        try outer.end()
        let isGB = request.generation == .gb
        if isGB {
            try claim(try fields.number() == UInt64(request.version), "the version")
            try claim(try fields.number() == UInt64(request.serversNeeded), "servers_needed")
        }
        if !isGB || request.purpose == .reencrypt {
            try claim(try fields.vector() == request.verificationKey, "verification_key")
        }
        if request.purpose == .reencrypt { try claim(try fields.vector() == request.encryptionKey, "enc_key") }
        let type = withUnsafeBytes(of: request.fheType.littleEndian) { Array($0) }
        try claim(try fields.octets() == type, "fhe_type")
        if isGB {
            try claim(try fields.vector() == request.randomness, "randomness")
            let handle = Array(request.keyHandle.utf8)
            if request.purpose == .decrypt { try claim(try fields.content(0x0C) == handle, "key_handle") }
            try claim(try fields.vector() == request.ciphertext, "the ciphertext")
            if request.purpose == .reencrypt { try claim(try fields.content(0x0C) == handle, "key_handle") }
        } else {
            try claim(try fields.vector() == request.ciphertext, "the ciphertext")
            try claim(try fields.vector() == request.randomness, "randomness")
            try claim(try fields.number() == UInt64(request.height), "the height")
            try claim(try fields.vector() == request.proof, "the proof")
        }
        try fields.end()
    }

    private static func row(_ lines: String) -> Row {
        // Every column is there, as the table has it.
        var columns: [String: (any DatabaseValueConvertible)?] = [
            "id": nil, "message_modulus": nil, "carry_modulus": nil, "key_order": nil, "length": nil, "state": nil,
            "fingerprint": nil, "lock_kind": nil, "lock_identity": nil, "sealed_lock_key": nil, "envelope": nil,
            "created_at": nil,
        ]
        for line in lines.split(separator: "\n") {
            guard let sign = line.firstIndex(of: "="), let kind = line[sign...].dropFirst().first else { continue }
            let value = line[sign...].dropFirst(2)
            let content: (any DatabaseValueConvertible)? =
                switch kind {
                case "i": Int64(value)
                case "b": hexadecimal(value)
                default: String(value)
                }
            columns.updateValue(content, forKey: String(line[..<sign]))
        }
        return Row(columns)
    }

    private static func hexadecimal(_ digits: Substring) -> Data? {
        let nibbles = digits.utf8.map { UInt8(String(UnicodeScalar($0)), radix: 16) }
        guard nibbles.count.isMultiple(of: 2), !nibbles.contains(nil) else { return nil }
        return Data(stride(from: 0, to: nibbles.count, by: 2).map { (nibbles[$0] ?? 0) << 4 | (nibbles[$0 + 1] ?? 0) })
    }
}

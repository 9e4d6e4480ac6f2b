import Decryption
import DecryptionAPI
import DecryptionClient
import Encodings
import Foundation
import Glibc
import KMSDaemon
import LibCrypto
import SecretMemory

/// A wallet's directory: two private keys, 64 hexadecimal digits each, in files of mode 0600.
enum WalletDirectory {
    private static let encryption = "enc.key"
    private static let account = "account.key"

    /// Makes both keys in a new directory.
    static func make(_ path: String) throws -> WalletKeys {
        guard mkdir(path, 0o700) == 0 else {
            let reason = errno
            throw CommandFailure(
                .failed, code: "file",
                reason == EEXIST
                    ? "'\(path)' is there already; name a directory that is not"
                    : "'\(path)' cannot be made: \(String(cString: strerror(reason)))")
        }
        let keys = WalletKeys(encryption: try .generate(.x25519), account: try .generate(.secp256k1))
        try write(keys.encryption.privateKey(), to: "\(path)/\(encryption)")
        try write(keys.account.privateKey(), to: "\(path)/\(account)")
        return keys
    }

    static func open(_ path: String) throws -> WalletKeys {
        try WalletKeys(
            encryption: AgreementKey(curve: .x25519, privateKey: read("\(path)/\(encryption)")),
            account: SigningKey(curve: .secp256k1, privateKey: read("\(path)/\(account)")))
    }

    private static func write(_ key: consuming SecretBytes, to path: String) throws {
        let text = try SecretBytes.make(capacity: 65) { output in
            key.withUnsafeBytes { bytes in
                for (index, byte) in bytes.enumerated() {
                    (output[2 * index], output[2 * index + 1]) = SecretHexadecimal.digits(byte)
                }
                output[2 * bytes.count] = 0x0A
                return 2 * bytes.count + 1
            }
        }
        try text.withUnsafeBytes { try NewFile.write($0, to: path, mode: 0o600) }
    }

    /// A private key of 32 bytes in hexadecimal.
    static func read(_ path: String) throws -> SecretBytes {
        let whole = path.startsExactly(with: "credential:") ? path : URL(fileURLWithPath: path).path
        let text = try SecretFile.read(whole, lengths: 64...66)
        let refused = CommandFailure(
            .failed, code: "key-file", "'\(path)' must hold a private key: 64 hexadecimal digits")
        return try text.withUnsafeBytes { text in
            let start = text.count == 66 ? 2 : 0
            guard text.count != 65, start == 0 || (text[0] == UInt8(ascii: "0") && text[1] == UInt8(ascii: "x")) else {
                throw refused
            }
            return try SecretBytes.make(capacity: 32) { output in
                var wrong: UInt8 = 0
                for index in 0..<32 {
                    let high = SecretHexadecimal.value(text[start + 2 * index])
                    let low = SecretHexadecimal.value(text[start + 2 * index + 1])
                    wrong |= (high | low) & 0xF0
                    output[index] = high << 4 | (low & 0x0F)
                }
                guard wrong == 0 else { throw refused }
                return 32
            }
        }
    }
}

/// What a wallet gives a full node: nothing in it is secret.
struct PermitFile: Codable {
    static let form = "decryption-permit/v1"
    var kmsd = form
    var account: String
    var encKey: String
    var userAuth: String

    enum CodingKeys: String, CodingKey {
        case kmsd, account
        case encKey = "enc_key"
        case userAuth = "user_auth"
    }

    static func read(_ path: String) throws -> (account: [UInt8], encryptionKey: [UInt8], authorization: [UInt8]) {
        let bytes = try InputFile.read(path, upTo: InputFile.longestDocument)
        guard let file = try? JSONDecoder().decode(PermitFile.self, from: Data(bytes)), file.kmsd.isExactly(form),
            let account = Hexadecimal.decode(file.account), account.count == 20,
            let key = Hexadecimal.decode(file.encKey), key.count == 32,
            let authorization = Hexadecimal.decode(file.userAuth), !authorization.isEmpty
        else {
            throw CommandFailure(.failed, code: "permit", "'\(path)' is no permit; kmsd decryption permit makes one")
        }
        return (account, key, authorization)
    }
}

/// A question and the answer to it, byte for byte as they were on the wire.
struct AnswerFile: Codable {
    static let form = "decryption-answer/v1"
    /// Of the file.
    static let longest = 320 << 20
    var kmsd = form
    var service: ClientService
    /// decrypt or reencrypt.
    var purpose: String
    var question: Data
    var answer: Data

    static func read(_ path: String, key: ResultKey) throws -> AnswerCheck {
        let bytes = try InputFile.read(path, upTo: longest)
        let damaged = CommandFailure(
            .failed, code: "answer-file", "'\(path)' is no answer; kmsd decryption request writes one")
        guard let file = try? JSONDecoder().decode(AnswerFile.self, from: Data(bytes)), file.kmsd.isExactly(form),
            let purpose = ["decrypt": LegacyRequest.Purpose.decrypt, "reencrypt": .reencrypt][ExactText(file.purpose)],
            let question = try? ServiceQuestion(
                [UInt8](file.question), generation: file.service.generation, purpose: purpose),
            let answer = try? ServiceAnswer([UInt8](file.answer), to: question)
        else { throw damaged }
        return AnswerCheck(question: question, answer: answer, key: key)
    }

    func write(to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try NewFile.write([UInt8](try encoder.encode(self)) + [0x0A], to: path)
    }
}

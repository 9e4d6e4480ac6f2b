import Encodings
import WorkingKeys

@testable import EDV
@testable import Keystores

extension FuzzTarget {
    /// What servers of encrypted data vaults answer.
    static let vaults = [
        FuzzTarget("vault-document", longest: 2048) { bytes throws(FuzzFinding) in
            guard let document = parsed({ try VaultDocument(decoding: bytes) }) else { return }
            let again = try accepted("a printed document") { try VaultDocument(decoding: document.encoded()) }
            try claim(again == document, "a document does not survive printing")
        },
        // The header alone: base64 hides it from what mutates documents.
        FuzzTarget("jwe-header", longest: 1024) { bytes throws(FuzzFinding) in
            let text =
                #"{"protected":"\#(Base64.encode(bytes, .url))","encrypted_key":"\#(zeros(40))","iv":"\#(zeros(12))","#
                + #""ciphertext":"AQID","tag":"\#(zeros(16))"}"#
            let document = try accepted("a document of any header") {
                try EncryptedDocument(try JSONNode(reading: Array(text.utf8)))
            }
            guard let recipient else { throw FuzzFinding("there is no recipient") }
            try claim(parsed { try document.decrypted(with: recipient, keyID: "k") } == nil, "a forged document opens")
        },
        FuzzTarget("structured-document", longest: 1024) { bytes throws(FuzzFinding) in
            guard let document = parsed({ try StructuredDocument(decoding: bytes) }) else { return }
            let again = try accepted("a printed document") { try StructuredDocument(decoding: document.encoded()) }
            try claim(again == document, "a document does not survive printing")
        },
        FuzzTarget("vault-address", longest: 512) { bytes throws(FuzzFinding) in
            guard let address = parsed({ try VaultAddress(text(bytes)) }) else { return }
            let again = try accepted("own spelling") { try VaultAddress(address.server + "/" + address.vault) }
            try claim(again == address, "an address does not come back")
            try claim(
                VaultAddress.path(of: address.documents).hasSuffix("/\(address.vault)/documents"),
                "a document's path is another vault's")
        },
        FuzzTarget("vault-capability", longest: 2048) { bytes throws(FuzzFinding) in
            _ = parsed { try VaultCapability(json: bytes, vault: "z4sRgBJJLnYy") }
            guard let record = parsed({ try VaultRecord(decoding: bytes) }) else { return }
            let again = try accepted("a printed record") { try VaultRecord(decoding: try record.encoded()) }
            try claim(again == record, "a record does not survive printing")
        },
    ]

    private static let recipient = parsed {
        try WorkingKey(versions: [try KeyMaterial.generate(.nistP256ECDHKW)], primary: 0)
    }

    private static func zeros(_ count: Int) -> String { Base64.encode([UInt8](repeating: 0, count: count), .url) }
}

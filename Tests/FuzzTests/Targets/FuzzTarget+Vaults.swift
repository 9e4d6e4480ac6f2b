import StrictJSON

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
}

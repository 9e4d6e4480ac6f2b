import Token

@testable import TPMBridge

extension FuzzTarget {
    /// Names of tokens and of states of a machine.
    static let addresses = [
        FuzzTarget("token-uri", longest: 1024) { bytes throws(FuzzFinding) in
            guard let uri = parsed({ try TokenURI(parsing: text(bytes)) }) else { return }
            let again = try accepted("a printed URI") { try TokenURI(parsing: uri.description) }
            try claim(again == uri && same(again.description, uri.description), "a URI does not survive printing")
            try claim(bytes.allSatisfy { (0x20..<0x7F).contains($0) }, "a character that must be encoded is accepted")
        },
        FuzzTarget("tpm-address", longest: 512) { bytes throws(FuzzFinding) in
            guard let address = parsed({ try TPMAddress(parsing: text(bytes)) }) else { return }
            let again = try accepted("a printed address") { try TPMAddress(parsing: address.description) }
            try claim(again == address && same(again.description, address.description), "an address does not come back")
        },
        FuzzTarget("pcr-values", longest: 2048) { bytes throws(FuzzFinding) in
            if let selection = PCRSelection(parsing: text(bytes)) {
                try claim(same(selection.description, text(bytes)), "a selection has two spellings")
            }
            guard let selection = PCRSelection(.sha256, [0, 7]),
                let values = parsed({ try PCRValues(parsing: text(bytes), for: selection) })
            else { return }
            try claim(values.bank == .sha256 && values.values.keys.allSatisfy([0, 7].contains), "another register")
            try claim(values.values.values.allSatisfy { $0.count == 32 }, "a register of another width")
        },
        FuzzTarget("tpm-blob", longest: 1024) { bytes throws(FuzzFinding) in
            guard let blob = parsed({ try TPMKeyBlob(bytes) }) else { return }
            let printed = try accepted("a printed blob") { try blob.bytes() }
            let again = try accepted("its own bytes") { try TPMKeyBlob(printed).bytes() }
            try claim(again == printed, "a blob does not survive printing")
        },
    ]
}

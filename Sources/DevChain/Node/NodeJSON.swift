import Encodings
import LightClient

/// Values as a node writes them: 64-bit numbers as text, hashes in upper-case hexadecimal, keys and signatures in base64.
indirect enum NodeJSON {
    case object([(String, NodeJSON)])
    case list([NodeJSON])
    /// Without anything that would have to be escaped.
    case text(String)
    case number(Int64)
    case flag(Bool)
    case null

    // exact: hexadecimal, which is ASCII.
    static func hex(_ bytes: [UInt8]) -> NodeJSON { .text(Hexadecimal.encode(bytes).uppercased()) }
    static func base64(_ bytes: [UInt8]) -> NodeJSON { .text(Base64.encode(bytes)) }
    static func big(_ number: Int64) -> NodeJSON { .text("\(number)") }

    /// RFC 3339 with nine digits.
    static func time(_ time: ChainTime) -> NodeJSON {
        .text(time.rfc3339)
    }

    var written: String {
        switch self {
        case .object(let members):
            "{" + members.map { "\"\($0.0)\":\($0.1.written)" }.joined(separator: ",") + "}"
        case .list(let elements): "[" + elements.map(\.written).joined(separator: ",") + "]"
        case .text(let text): "\"" + text + "\""
        case .number(let number): "\(number)"
        case .flag(let flag): flag ? "true" : "false"
        case .null: "null"
        }
    }

    /// In the envelope of JSON-RPC.
    static func result(_ value: NodeJSON) -> [UInt8] {
        Array(NodeJSON.object([("jsonrpc", .text("2.0")), ("id", .number(-1)), ("result", value)]).written.utf8)
    }

    static func error(_ message: String) -> [UInt8] {
        Array(
            NodeJSON.object([
                ("jsonrpc", .text("2.0")), ("id", .number(-1)),
                ("error", .object([("code", .number(-32603)), ("message", .text(message))])),
            ]).written.utf8)
    }
}

extension ChainTime {
    /// As nodes write it: `2026-01-02T03:04:05.000000006Z`.
    var rfc3339: String {
        var days = seconds / 86_400
        var rest = seconds % 86_400
        if rest < 0 { (days, rest) = (days - 1, rest + 86_400) }
        // Years that begin on 1 March, in eras of 400.
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let day = shifted - era * 146_097
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365
        let dayOfYear = day - (365 * year + year / 4 - year / 100)
        let month = (5 * dayOfYear + 2) / 153
        let number = month < 10 ? month + 3 : month - 9
        return Self.padded(year + era * 400 + (number <= 2 ? 1 : 0), 4) + "-" + Self.padded(number, 2) + "-"
            + Self.padded(dayOfYear - (153 * month + 2) / 5 + 1, 2) + "T" + Self.padded(rest / 3_600, 2) + ":"
            + Self.padded(rest / 60 % 60, 2) + ":" + Self.padded(rest % 60, 2) + "."
            + Self.padded(Int64(nanoseconds), 9) + "Z"
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = "\(number)"
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}

extension SignedHeader {
    /// What `commit` gives.
    var json: NodeJSON {
        .object([
            ("signed_header", .object([("header", header.json), ("commit", commit.json)])), ("canonical", .flag(true)),
        ])
    }
}

extension BlockHeader {
    fileprivate var json: NodeJSON {
        .object([
            ("version", .object([("block", .big(Int64(blockVersion)))])), ("chain_id", .text(chainID)),
            ("height", .big(height)), ("time", .time(time)), ("last_block_id", lastBlockID.json),
            ("last_commit_hash", .hex(lastCommitHash)), ("data_hash", .hex(dataHash)),
            ("validators_hash", .hex(validatorsHash)), ("next_validators_hash", .hex(nextValidatorsHash)),
            ("consensus_hash", .hex(consensusHash)), ("app_hash", .hex(appHash)),
            ("last_results_hash", .hex(lastResultsHash)), ("evidence_hash", .hex(evidenceHash)),
            ("proposer_address", .hex(proposerAddress)),
        ])
    }
}

extension BlockID {
    fileprivate var json: NodeJSON {
        .object([
            ("hash", .hex(hash)),
            ("parts", .object([("total", .number(Int64(partCount))), ("hash", .hex(partsHash))])),
        ])
    }
}

extension Commit {
    fileprivate var json: NodeJSON {
        .object([
            ("height", .big(height)), ("round", .number(Int64(round))), ("block_id", blockID.json),
            (
                "signatures",
                .list(
                    signatures.map {
                        .object([
                            ("block_id_flag", .number(Int64($0.vote.rawValue))),
                            ("validator_address", .hex($0.address)),
                            ("timestamp", .time($0.time)), ("signature", .base64($0.signature)),
                        ])
                    })
            ),
        ])
    }
}

extension ValidatorSet {
    /// One page of what `validators` gives.
    func json(height: Int64, page: Int, size: Int) -> NodeJSON {
        let part = validators.dropFirst((page - 1) * size).prefix(size)
        return .object([
            ("block_height", .big(height)),
            (
                "validators",
                .list(
                    part.map {
                        .object([
                            ("address", .hex($0.address)),
                            (
                                "pub_key",
                                .object([
                                    ("type", .text("tendermint/PubKeyEd25519")), ("value", .base64($0.publicKey)),
                                ])
                            ), ("voting_power", .big($0.power)), ("proposer_priority", .text("0")),
                        ])
                    })
            ), ("count", .big(Int64(part.count))), ("total", .big(Int64(validators.count))),
        ])
    }
}

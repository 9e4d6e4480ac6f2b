/// A transaction as its sender wrote it, to be answered with the wallet's signature in it: clients of the 1.17 generation
/// replace theirs by it, compute its hash again and verify.
struct TransactionEcho: Sendable {
    private enum Value: Sendable {
        case text(String)
        case unsigned(UInt64)
        case signed(Int64)
    }

    /// Those that the transaction has, in the order in which they are answered.
    private let members: [(name: TransactionBody, value: Value)]

    init(_ body: JSONBody<TransactionBody>) throws(JSONError) {
        var members: [(TransactionBody, Value)] = []
        for member in TransactionBody.allCases {
            let value: Value? =
                switch member {
                case .value, .fee: try body.optionalInteger(member, as: UInt64.self).map(Value.unsigned)
                case .nonce, .createdAt, .type, .status:
                    try body.optionalInteger(member, as: Int64.self).map(Value.signed)
                case .hash, .signature, .clientID, .publicKey, .receiver, .data, .version, .chainID, .output,
                    .outputHash:
                    try body.optionalText(member).map(Value.text)
                }
            if let value { members.append((member, value)) }
        }
        self.members = members
    }

    func write(to writer: inout JSONWriter, signature: String) {
        for (member, value) in members {
            switch value {
            case .text(let text): writer.member(member.name, member == .signature ? signature : text)
            case .unsigned(let number): writer.member(member.name, number)
            case .signed(let number): writer.member(member.name, number)
            }
        }
    }
}

/// A transaction as its sender wrote it, to be answered with the wallet's signature in it: clients of the 1.17 generation
/// replace theirs by it, compute its hash again and verify.
struct TransactionEcho: Sendable {
    /// Of a transaction object, in the order in which they are read and answered.
    static let names: [StaticString] = [
        "hash", "signature", "client_id", "public_key", "to_client_id", "transaction_value", "transaction_nonce",
        "creation_date", "transaction_data", "transaction_type", "transaction_fee", "version", "chain_id",
        "transaction_output", "txn_output_hash", "transaction_status",
    ]
    private static let unsigned = [5, 10]
    private static let signed = [6, 7, 9, 15]

    private enum Value: Sendable {
        case text(String)
        case unsigned(UInt64)
        case signed(Int64)
    }

    /// In the order of ``names``; nil for a member that is absent.
    private let values: [Value?]

    init(_ members: JSONMembers) throws(JSONError) {
        var values: [Value?] = []
        for index in Self.names.indices {
            if Self.unsigned.contains(index) {
                values.append(try members.optionalInteger(index, as: UInt64.self).map(Value.unsigned))
            } else if Self.signed.contains(index) {
                values.append(try members.optionalInteger(index, as: Int64.self).map(Value.signed))
            } else {
                values.append(try members.optionalText(index).map(Value.text))
            }
        }
        self.values = values
    }

    func write(to writer: inout JSONWriter, signature: String) {
        for (index, name) in Self.names.enumerated() {
            switch values[index] {
            case .text(let text): writer.member(name, index == 1 ? signature : text)
            case .unsigned(let number): writer.member(name, number)
            case .signed(let number): writer.member(name, number)
            case nil: break
            }
        }
    }
}

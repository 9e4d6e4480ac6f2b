/// Values of selected registers: a state that a machine boots into.
public struct PCRValues: Hashable, Sendable {
    public let bank: PCRSelection.Bank
    /// By register; as many bytes each as the bank's hash has.
    public let values: [Int: [UInt8]]

    /// - Returns: nil for no register, one that no TPM has, or a value of another length.
    public init?(_ bank: PCRSelection.Bank, _ values: [Int: [UInt8]]) {
        guard PCRSelection(bank, values.keys) != nil, values.values.allSatisfy({ $0.count == bank.width }) else {
            return nil
        }
        self.bank = bank
        self.values = values
    }

    public var selection: PCRSelection {
        guard let selection = PCRSelection(bank, values.keys) else { preconditionFailure("checked when it was made") }
        return selection
    }

    /// The registers that have another value in `other`, or none.
    public func differences(from other: PCRValues) -> [Int] {
        guard bank == other.bank else { return selection.indices }
        return selection.indices.filter { values[$0] != other.values[$0] }
    }

    /// The same state but for the registers that `changes` names.
    ///
    /// - Returns: nil if it names a register that is not selected here, or another bank.
    public func replacing(_ changes: PCRValues) -> PCRValues? {
        guard bank == changes.bank, changes.values.keys.allSatisfy({ values[$0] != nil }) else { return nil }
        return PCRValues(bank, values.merging(changes.values) { _, new in new })
    }
}

public import Token

/// What speaks against binding keys to registers as they are.
public struct PCRWeakness: Sendable, Equatable {
    /// Any program of the machine may put them back, so they prove nothing.
    public var resettable: [Int] = []
    /// Programs that the machine starts at a locality above 0 may put them back.
    public var resettableElsewhere: [Int] = []
    /// Nothing was measured into them since the start: every machine that was started has these values.
    public var untouched: [Int] = []

    /// One sentence for each kind; none for registers that are good.
    public var warnings: [String] {
        var found: [String] = []
        if !resettable.isEmpty {
            found.append("\(Self.text(resettable)) can be reset by any program of this machine, so it proves nothing")
        }
        if !resettableElsewhere.isEmpty {
            found.append(
                "\(Self.text(resettableElsewhere)) can be reset by software that was started at another locality")
        }
        if !untouched.isEmpty {
            found.append(
                "\(Self.text(untouched)) was never extended: nothing measures anything into it here, so whoever "
                    + "starts this machine with other software finds the same value")
        }
        return found
    }

    static func text(_ registers: [Int]) -> String {
        "PCR " + registers.sorted().map(String.init).joined(separator: ", ")
    }

    /// Whether a value is one that a register starts with: zeros, ones, or zeros and the locality of the start.
    static func isUntouched(_ value: [UInt8]) -> Bool {
        guard let last = value.last else { return true }
        return value.allSatisfy { $0 == 0xFF } || (value.dropLast().allSatisfy { $0 == 0 } && last <= 4)
    }
}

extension TPMContext {
    /// - Throws: Whatever keeps the TPM from telling which registers can be reset.
    func weakness(of values: PCRValues) throws(HSMError) -> PCRWeakness {
        let selection = values.selection.indices
        let resettable = try resettableRegisters()
        let byAnybody = resettable.anybody.intersection(selection)
        return PCRWeakness(
            resettable: byAnybody.sorted(),
            resettableElsewhere: resettable.elsewhere.intersection(selection).subtracting(byAnybody).sorted(),
            untouched: selection.filter { PCRWeakness.isUntouched(values.values[$0] ?? []) })
    }
}

extension TPMProvisioner {
    /// Before anything is made.
    func refuseResettable(_ registers: PCRSelection) throws(HSMError) {
        let resettable = try context.resettableRegisters().anybody.intersection(registers.indices)
        guard resettable.isEmpty else {
            let rest = PCRSelection(registers.bank, Set(registers.indices).subtracting(resettable))
            let remedy = rest.map { "Leave them out: pcrs=\($0)." } ?? "Choose others, such as pcrs=sha256:0,7."
            throw HSMError(
                .configurationRefused,
                "'pcrs' names registers that any program of this machine may reset: "
                    + "\(PCRWeakness.text(Array(resettable))). Keys bound to them would be bound to nothing. \(remedy)")
        }
    }
}

extension TPMToken {
    /// What speaks against these registers, by what the TPM says of them.
    public func weakness(of values: PCRValues) async throws(HSMError) -> PCRWeakness {
        try await perform { (connection) throws(HSMError) in try connection.context.weakness(of: values) }
    }
}

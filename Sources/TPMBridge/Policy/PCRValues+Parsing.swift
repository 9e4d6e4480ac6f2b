import Encodings
public import Token

extension PCRValues {
    /// Longest file of expected values.
    public static let longestText = 64 << 10

    /// Parses what `tpm2_pcrread` and `tpm2_eventlog` print: a bank's name with a colon, then `index : 0xVALUE` on a line
    /// each. Other banks and registers that `selection` does not have are passed over, so that a whole print-out serves.
    ///
    /// - Throws: `.invalidArgument`, with the number of the line.
    public init(parsing text: String, for selection: PCRSelection) throws(HSMError) {
        guard text.utf8.count <= Self.longestText else {
            throw HSMError(.invalidArgument, "The expected values are longer than \(Self.longestText) bytes.")
        }
        var bank: Substring?
        var found: [Int: [UInt8]] = [:]
        for (number, line) in text.splitExactly(at: "\n").enumerated() {
            let line = line.trimmed
            guard !line.isEmpty, !line.startsExactly(with: "#") else { continue }
            if line.endsExactly(with: ":") {
                bank = line.dropLast().trimmed
                continue
            }
            // exact: a colon with an accent on it is none, and the line is refused.
            guard let colon = line.firstIndex(of: ":"), let bank,
                let index = PCRSelection.index(line[..<colon].trimmed)
            else { throw Self.refused(number, "it is neither 'bank:' nor 'index : 0xVALUE'") }
            guard bank == selection.bank.rawValue, selection.indices.contains(index) else { continue }
            guard let value = Self.value(line[line.index(after: colon)...].trimmed, selection.bank) else {
                throw Self.refused(number, "a register of \(selection.bank.rawValue) has \(selection.bank.width) bytes")
            }
            guard found.updateValue(value, forKey: index) == nil else {
                throw Self.refused(number, "register \(index) is there twice")
            }
        }
        guard let values = PCRValues(selection.bank, found) else {
            throw HSMError(.invalidArgument, "The expected values name none of the registers \(selection).")
        }
        self = values
    }

    /// A register's value in hexadecimal, with or without `0x` in front.
    public static func value(_ text: some StringProtocol, _ bank: PCRSelection.Bank) -> [UInt8]? {
        let digits = text.startsExactly(with: "0x") ? text.dropFirst(2).asciiLowercased() : text.asciiLowercased()
        guard let bytes = Hexadecimal.decode(digits), bytes.count == bank.width else { return nil }
        return bytes
    }

    private static func refused(_ line: Int, _ reason: String) -> HSMError {
        HSMError(.invalidArgument, "Line \(line + 1) of the expected values: \(reason).")
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        var rest = self
        while let first = rest.first, first.isWhitespace { rest.removeFirst() }
        while let last = rest.last, last.isWhitespace { rest.removeLast() }
        return rest
    }
}

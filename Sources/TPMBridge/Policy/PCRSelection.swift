import Encodings
import Token

/// Which platform configuration registers bind the keys: one bank, at least one register.
public struct PCRSelection: Hashable, Sendable, CustomStringConvertible {
    /// A bank: its hash. SHA-1 is left out, because two boots with the same SHA-1 values can be made.
    public enum Bank: String, Sendable, CaseIterable, Codable {
        case sha256, sha384

        /// Bytes of one register.
        var width: Int { self == .sha256 ? 32 : 48 }
        /// TPM_ALG_ID (TPM 2.0 Library part 2, section 6.3).
        var algorithm: UInt16 { self == .sha256 ? 0x000B : 0x000C }
    }

    /// Registers of a PC's TPM (TCG PC Client Platform TPM Profile, section 4.6.1).
    public static let registers = 0...23

    public let bank: Bank
    /// Ascending, each once.
    public let indices: [Int]

    /// - Returns: nil for no register, or one that no TPM has.
    public init?(_ bank: Bank, _ indices: some Sequence<Int>) {
        let sorted = Set(indices).sorted()
        guard !sorted.isEmpty, sorted.allSatisfy(Self.registers.contains) else { return nil }
        self.bank = bank
        self.indices = sorted
    }

    /// Parses `sha256:0,7`: ascending decimal numbers, each once.
    public init?(parsing text: String) {
        let parts = text.splitExactly(at: ":")
        guard text.utf8.count <= 80, parts.count == 2, let bank = Bank(rawValue: String(parts[0])) else { return nil }
        let numbers = parts[1].splitExactly(at: ",")
        let indices = numbers.compactMap { Self.index($0) }
        guard indices.count == numbers.count else { return nil }
        self.init(bank, indices)
        guard self.indices == indices else { return nil }
    }

    /// A register's number in plain decimal; nil for anything else.
    static func index(_ text: some StringProtocol) -> Int? {
        guard let number = Int(text), registers.contains(number), String(number) == text else { return nil }
        return number
    }

    public var description: String { "\(bank.rawValue):\(indices.map(String.init).joined(separator: ","))" }

    /// `TPML_PCR_SELECTION` as a TPM marshals it.
    var marshalled: [UInt8] {
        var bitmap: [UInt8] = [0, 0, 0]
        for index in indices { bitmap[index / 8] |= 1 << UInt8(index % 8) }
        return [0, 0, 0, 1] + withUnsafeBytes(of: bank.algorithm.bigEndian, Array.init) + [3] + bitmap
    }
}

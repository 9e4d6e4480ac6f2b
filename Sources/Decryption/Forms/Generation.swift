public import TFHE

/// The generations of the original KMS's interface that are served, by the names that the documents give them.
public enum Generation: String, Sendable, CaseIterable {
    /// December 2023 to February 2024.
    case ga = "GA"
    /// February to April 2024.
    case gb = "GB"
    /// What full nodes of February 2024 sent.
    case gn = "GN"

    /// The type of a number of this generation's `FheType`.
    public func type(_ number: Int) throws(DecryptionError) -> ValueType {
        let types: [ValueType] =
            switch self {
            case .ga: [.bool, .unsigned(bits: 8), .unsigned(bits: 16), .unsigned(bits: 32)]
            case .gb, .gn:
                [
                    .bool, .unsigned(bits: 4), .unsigned(bits: 8), .unsigned(bits: 16), .unsigned(bits: 32),
                    .unsigned(bits: 64),
                ]
            }
        guard types.indices.contains(number) else {
            throw .invalid("unknown-type", "fhe_type \(number) is not one that generation \(rawValue) knows")
        }
        return types[number]
    }

    /// Of ciphertexts, unless configured.
    public var format: CiphertextFormat { self == .ga ? .raw04 : .raw06 }
}

/// tfhe-rs's numbers of types, which the own service uses.
public enum TypeNumbers {
    private static let widths = [4, 8, 16, 32, 64, 128, 160, 256]
    private static let oddWidths = [2, 6, 10, 12, 14]
    private static let signedWidths = [2, 4, 6, 8, 10, 12, 14, 16, 32, 64, 128, 160, 256]

    public static func type(_ number: Int) throws(DecryptionError) -> ValueType {
        switch number {
        case 0: return .bool
        case 1...8: return .unsigned(bits: widths[number - 1])
        case 12...16: return .unsigned(bits: oddWidths[number - 12])
        case 17...29: return .signed(bits: signedWidths[number - 17])
        default: throw .invalid("unknown-type", "fhe_type \(number) is not one that is known here")
        }
    }
}

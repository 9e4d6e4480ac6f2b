/// What a TPM, or a layer of software before it, answered (TSS2_RC): the layer in bits 16 to 23, its code below.
///
/// Open: values nobody has heard of survive.
///
/// - Source: TPM 2.0 Library part 2, section 6.6; TCG TSS 2.0 Overview and Common Structures, section 3.
public struct TPMResponse: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public var rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let success = TPMResponse(rawValue: 0)

    /// Who answered.
    public enum Layer: Sendable, Equatable {
        /// The TPM itself.
        case tpm
        /// A resource manager; below 0x1000 its codes are the TPM's.
        case resourceManager
        /// The TSS in this process: enhanced system API, system API, marshalling.
        case esapi, sapi, marshalling
        /// The way to the TPM.
        case tcti
        case unknown(UInt8)
    }

    public var layer: Layer {
        switch rawValue >> 16 & 0xFF {
        case 0: .tpm
        case 7: .esapi
        case 8: .sapi
        case 9: .marshalling
        case 10: .tcti
        case 11, 12: .resourceManager
        case let other: .unknown(UInt8(truncatingIfNeeded: other))
        }
    }

    /// The TPM's code without the number of the handle, parameter or session it is about; the base code of the TSS for
    /// other layers.
    public var code: UInt32 {
        let code = rawValue & 0xFFFF
        guard layer == .tpm || layer == .resourceManager else { return code }
        return code & 0x80 != 0 ? code & 0xBF : code & 0xFFF
    }

    /// What a format-one code is about, such as `parameter 1`, `session 1` or `handle 2`; nil for others.
    public var subject: String? {
        guard layer == .tpm || layer == .resourceManager, rawValue & 0x80 != 0 else { return nil }
        let number = rawValue >> 8 & 0xF
        if rawValue & 0x40 != 0 { return "parameter \(number)" }
        return number >= 8 ? "session \(number - 8)" : "handle \(number)"
    }

    /// The specification's spelling, such as `TPM_RC_AUTH_FAIL`; hexadecimal for an unknown value.
    public var name: String {
        let hexadecimal = "0x" + String(code, radix: 16, uppercase: true)
        let base: String
        switch layer {
        case .tpm, .resourceManager: base = Self.names[code].map { "TPM_RC_\($0)" } ?? "TPM_RC_\(hexadecimal)"
        case .esapi: base = "TSS2_ESYS_RC_" + (Self.softwareNames[code] ?? hexadecimal)
        case .sapi: base = "TSS2_SYS_RC_" + (Self.softwareNames[code] ?? hexadecimal)
        case .marshalling: base = "TSS2_MU_RC_" + (Self.softwareNames[code] ?? hexadecimal)
        case .tcti: base = "TSS2_TCTI_RC_" + (Self.softwareNames[code] ?? hexadecimal)
        case .unknown(let layer): base = "TSS2_RC_LAYER_\(layer)_\(hexadecimal)"
        }
        return subject.map { "\(base) (\($0))" } ?? base
    }

    public var description: String { name }
}

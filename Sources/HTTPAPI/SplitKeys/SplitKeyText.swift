import Encodings
import SplitKeys

/// Keys, signatures and suites as the split-key API writes them.
enum SplitKeyText {
    /// The bytes of a public key of any suite; the domain checks the point.
    ///
    /// - Throws: 400.
    static func publicKey(_ text: String, _ operand: String) throws -> [UInt8] {
        guard let bytes = Hexadecimal.decode(text, .either),
            SplitSuite.allCases.contains(where: { $0.publicKeyLength == bytes.count })
        else {
            throw SplitRefusal(
                status: 400, message: "'\(operand)' must be \(SplitSuite.digits(\.publicKeyLength)) hexadecimal digits")
        }
        return bytes
    }

    /// The user's part of a signature.
    ///
    /// - Throws: 400; also where there is none.
    static func signature(_ text: String?) throws -> [UInt8] {
        guard let bytes = Hexadecimal.decode(text ?? "", .either),
            SplitSuite.allCases.contains(where: { $0.signatureLength == bytes.count })
        else {
            throw SplitRefusal(
                status: 400, message: "'signature' must be \(SplitSuite.digits(\.signatureLength)) hexadecimal digits")
        }
        return bytes
    }

    /// - Throws: 400 for a name that is none.
    static func suite(_ name: String?) throws -> SplitSuite? {
        guard let name else { return nil }
        guard let suite = SplitSuite(exactly: name) else {
            let known = SplitSuite.allCases.map(\.rawValue).joined(separator: ", ")
            throw SplitRefusal(status: 400, message: "'suite' must be one of \(known)")
        }
        return suite
    }
}

@testable import Decryption
@testable import DecryptionClient

extension FuzzTarget {
    /// Answers of the decryption API as a client reads them.
    static let answers = [
        // The first byte names the form. What is read has one spelling only: the bytes that were read.
        FuzzTarget("answer-der", longest: 2048) { bytes throws(FuzzFinding) in
            guard let first = bytes.first else { return }
            let body = Array(bytes.dropFirst())
            switch first % 5 {
            case 0:
                let digits = parsed { try whole(body) { reader throws(ClientError) in try reader.number() } }
                if let digits { try claim(number(digits) == body, "a number has a second spelling") }
            case 1:
                let vector = parsed { try whole(body) { reader throws(ClientError) in try reader.vector() } }
                if let vector { try claim(WireDER.vector(vector).encoded == body, "a vector has a second spelling") }
            case 2:
                let octets = parsed { try whole(body) { reader throws(ClientError) in try reader.octets(33) } }
                if let octets { try claim(WireDER.octets(octets).encoded == body, "octets have a second spelling") }
            case 3:
                // The value of GA and the type behind it.
                let value = parsed {
                    try whole(body) { reader throws(ClientError) in
                        var inner = try reader.sequence()
                        let value = (try inner.vector(), try inner.type())
                        try inner.end()
                        return value
                    }
                }
                guard let (vector, type) = value else { return }
                let again = WireDER.sequence([.vector(vector), .type(type)]).encoded
                try claim(again == body, "a value has a second spelling")
            default:
                // A box, its nonce and its key.
                let box = parsed {
                    try whole(body) { reader throws(ClientError) in
                        var inner = try reader.sequence()
                        let parts = (try inner.vector(), try inner.vector(), try inner.octets(32))
                        try inner.end()
                        return parts
                    }
                }
                guard let (sealed, nonce, key) = box else { return }
                let again = WireDER.sequence([.vector(sealed), .vector(nonce), .octets(key)]).encoded
                try claim(again == body, "a box has a second spelling")
            }
        }
    ]

    /// Reads what nothing may follow.
    private static func whole<R>(
        _ bytes: [UInt8], _ read: (inout DERReader<ArraySlice<UInt8>>) throws(ClientError) -> R
    ) throws(ClientError) -> R {
        var reader = DERReader(bytes[...])
        let result = try read(&reader)
        try reader.end()
        return result
    }

    /// A non-negative INTEGER, written here once more.
    private static func number(_ digits: [UInt8]) -> [UInt8] {
        let content = (digits.first ?? 0) >= 0x80 ? [0] + digits : digits
        guard content.count >= 0x80 else { return [0x02, UInt8(content.count)] + content }
        var length: [UInt8] = []
        var rest = content.count
        while rest > 0 {
            length.insert(UInt8(rest & 0xFF), at: 0)
            rest >>= 8
        }
        return [0x02, 0x80 | UInt8(length.count)] + length + content
    }
}

import GRPCCore

/// What a message must look like on the wire before it is read. Protobuf's readers merge what comes twice, take the last of
/// several, and keep what they do not know; where a signature or a proof depends on it, that is refused here.
///
/// Source: Protocol Buffers, Encoding.
final class MessageShape: Sendable {
    enum Field: Sendable {
        /// A number, a text or bytes: at most once.
        case single
        case message(MessageShape)
        case many
        case manyMessages(MessageShape)
    }

    private let name: String
    private let fields: [UInt64: Field]
    /// Whether fields that are not known are refused; else they are ignored, as proto3 says.
    private let isClosed: Bool

    init(_ name: String, _ fields: [UInt64: Field], isClosed: Bool = false) {
        self.name = name
        self.fields = fields
        self.isClosed = isClosed
    }

    /// - Throws: `.invalidArgument` naming the message and the field.
    func check(_ bytes: UnsafeRawBufferPointer) throws(RPCError) {
        var seen: Set<UInt64> = []
        var position = 0
        while position < bytes.count {
            let tag = try number(bytes, &position)
            let (field, type) = (tag >> 3, tag & 7)
            guard field > 0, field < 1 << 29 else { throw refusal("has a field of number \(field)") }
            let content = try skip(type, bytes, &position)
            switch fields[field] {
            case nil:
                guard !isClosed else { throw refusal("has field \(field), which is not known here") }
            case .single?:
                guard seen.insert(field).inserted else { throw refusal("has field \(field) twice") }
            case .message(let shape)?:
                guard seen.insert(field).inserted else { throw refusal("has field \(field) in several pieces") }
                guard let content else { throw refusal("has a number as field \(field)") }
                try shape.check(content)
            case .many?: break
            case .manyMessages(let shape)?:
                guard let content else { throw refusal("has a number as field \(field)") }
                try shape.check(content)
            }
        }
    }

    /// - Returns: The content of a field with a length.
    private func skip(
        _ type: UInt64, _ bytes: UnsafeRawBufferPointer, _ position: inout Int
    ) throws(RPCError) -> UnsafeRawBufferPointer? {
        var count: UInt64 = 0
        var hasContent = false
        switch type {
        case 0:
            _ = try number(bytes, &position)
            return nil
        case 1: count = 8
        case 2:
            count = try number(bytes, &position)
            hasContent = true
        case 5: count = 4
        default: throw refusal("has a field of a wire type that is not used")
        }
        guard count <= UInt64(bytes.count - position) else { throw refusal("is cut off") }
        defer { position += Int(count) }
        return hasContent ? UnsafeRawBufferPointer(rebasing: bytes[position..<position + Int(count)]) : nil
    }

    private func number(_ bytes: UnsafeRawBufferPointer, _ position: inout Int) throws(RPCError) -> UInt64 {
        var value: UInt64 = 0
        for index in 0..<10 {
            guard position < bytes.count else { throw refusal("is cut off") }
            let byte = bytes[position]
            position += 1
            guard index < 9 || byte <= 1 else { throw refusal("has a number of more than 64 bits") }
            value |= UInt64(byte & 0x7F) << UInt64(7 * index)
            if byte < 0x80 {
                guard !isClosed || byte != 0 || index == 0 else {
                    throw refusal("has a number that is longer than need be")
                }
                return value
            }
        }
        throw refusal("has a number of more than 64 bits")
    }

    private func refusal(_ what: String) -> RPCError {
        RPCError(code: .invalidArgument, message: "malformed-protobuf: \(name) \(what)")
    }
}

extension MessageShape {
    private static func legacyProof() -> MessageShape {
        MessageShape("the proof", [1: .single, 2: .single], isClosed: true)
    }

    static let gaDecryption = MessageShape(
        "DecryptionRequest",
        [
            1: .single,
            2: .message(
                MessageShape(
                    "the payload", [1: .single, 2: .single, 3: .single, 4: .message(legacyProof()), 5: .single])),
        ])

    static let gaReencryption = MessageShape(
        "ReencryptionRequest",
        [
            1: .single,
            2: .message(
                MessageShape(
                    "the payload",
                    [1: .single, 2: .single, 3: .single, 4: .single, 5: .message(legacyProof()), 6: .single])),
            100: .message(list), 101: .message(authorization),
        ])

    static let gnDecryption = MessageShape(
        "DecryptionRequest", [1: .single, 2: .single, 3: .single, 4: .message(legacyProof())])

    static let gnReencryption = MessageShape(
        "ReencryptionRequest",
        [
            1: .single, 2: .single, 3: .single, 4: .message(legacyProof()), 100: .message(list),
            101: .message(authorization),
        ])

    static let gbDecryption = MessageShape(
        "DecryptionRequest",
        [
            1: .single, 2: .single, 3: .single, 4: .single, 5: .single, 6: .single, 102: .message(legacyProof()),
        ])

    static let gbReencryption = MessageShape(
        "ReencryptionRequest",
        [
            1: .single,
            2: .message(
                MessageShape(
                    "the payload",
                    [
                        1: .single, 2: .single, 3: .single, 4: .single, 5: .single, 6: .single, 7: .single, 8: .single,
                    ])),
            100: .message(list), 101: .message(authorization), 102: .message(legacyProof()),
        ])

    static let authorization = MessageShape(
        "the authorisation",
        [1: .single, 2: .single, 3: .single, 4: .many, 5: .single, 6: .single, 7: .single, 8: .single],
        isClosed: true)

    static let list = MessageShape(
        "the list of permissible decryptors",
        [
            1: .single, 2: .single, 3: .many,
            5: .manyMessages(MessageShape("a proof of the list", [1: .single, 2: .single], isClosed: true)),
        ], isClosed: true)

    static let publicDecryption = MessageShape(
        "PublicDecryptRequest",
        [1: .single, 2: .single, 3: .single, 4: .single, 5: .single, 6: .message(legacyProof()), 7: .single])

    static let userDecryption = MessageShape(
        "UserDecryptRequest",
        [
            1: .single, 2: .single, 3: .single, 4: .single, 5: .single, 6: .message(legacyProof()), 7: .single,
            8: .message(authorization), 9: .message(list), 10: .single,
        ])

    static let attestation = MessageShape("AttestKeyRequest", [1: .single, 2: .single])

    /// For messages in which nothing is at stake.
    static let any = MessageShape("the request", [:])
}

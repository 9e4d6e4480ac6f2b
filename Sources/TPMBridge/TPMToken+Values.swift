import CTSS2
public import HSMBridge

/// One value in the TPM's non-volatile memory, made by `init`, read and written with the PIN's authorization only.
///
/// Its 512 bytes are length(2) ‖ length of the name(1) ‖ name ‖ value, written by one command, so a process that dies
/// leaves the old value or the new one.
extension TPMToken: ValueKeeping {
    static let keptBytes = 512

    public func keptValue(_ name: String) async throws(HSMError) -> [UInt8]? {
        try await perform { (connection) throws(HSMError) in
            guard let bytes = try connection.context.readMemory(connection.memory(), connection.authorization) else {
                // Written once by `init`, so this is not the memory that was made then: only its owner could do that.
                throw HSMError(
                    .keyMismatch, "The TPM's memory of the audit chain was removed and made again; it tells nothing.")
            }
            return try Self.value(in: bytes, name)
        }
    }

    public func keep(_ value: [UInt8], as name: String) async throws(HSMError) {
        let name = Array(name.utf8)
        let content = [UInt8(truncatingIfNeeded: name.count)] + name + value
        guard name.count <= 64, content.count + 2 <= Self.keptBytes else {
            throw HSMError(.invalidArgument, "A TPM keeps a value of at most \(Self.keptBytes - 67) bytes.")
        }
        let bytes = withUnsafeBytes(of: UInt16(content.count).bigEndian, Array.init) + content
        try await perform { (connection) throws(HSMError) in
            let memory = try connection.memoryForWriting()
            if let old = try connection.context.readMemory(memory, connection.authorization) {
                _ = try Self.value(in: old, String(decoding: name, as: UTF8.self))
            }
            try connection.context.writeMemory(memory, bytes, connection.authorization)
        }
    }

    /// The value; nil if none was kept yet.
    ///
    /// - Throws: `.mechanismUnsupported` if another name's value is kept: there is room for one.
    static func value(in bytes: [UInt8], _ name: String) throws(HSMError) -> [UInt8]? {
        let name = Array(name.utf8)
        let length = bytes.prefix(2).reduce(0) { $0 << 8 | Int($1) }
        if length == 0 { return nil }
        let content = bytes.dropFirst(2).prefix(length)
        guard content.count == length, let nameLength = content.first, content.count > Int(nameLength) else {
            throw HSMError(.deviceFailure, "The TPM's kept value does not have the form it was given.")
        }
        guard content.dropFirst().prefix(Int(nameLength)).elementsEqual(name) else {
            throw HSMError(.mechanismUnsupported, "This TPM keeps one value, and it goes by another name.")
        }
        return Array(content.dropFirst(1 + Int(nameLength)))
    }
}

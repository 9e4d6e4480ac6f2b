import Token

/// What is in the TPM's memory of a kept value: 512 bytes, written by one command.
///
/// 2 ‖ counter (8) ‖ length of what follows (2) ‖ length of the name (1) ‖ name ‖ value ‖ zeros. Before there were
/// counters: length (2) ‖ length of the name (1) ‖ name ‖ value ‖ zeros, whose first byte is 0 or 1.
struct KeptMemory: Equatable {
    private static let version: UInt8 = 2
    private static let longestName = 64

    /// What the counter comes to with the value; nil for a value of before there were counters, and before the first.
    var counter: UInt64?
    /// Nil if none was kept yet.
    var value: [UInt8]?

    init(counter: UInt64?, value: [UInt8]?) {
        self.counter = counter
        self.value = value
    }

    /// - Throws: `.mechanismUnsupported` if another name's value is kept: there is room for one. `.deviceFailure`.
    init(decoding bytes: [UInt8], name: String) throws(HSMError) {
        let isCounted = bytes.first == Self.version
        let rest = bytes.dropFirst(isCounted ? 9 : 0)
        counter = isCounted ? bytes.dropFirst().prefix(8).reduce(0) { $0 << 8 | UInt64($1) } : nil
        let length = rest.prefix(2).reduce(0) { $0 << 8 | Int($1) }
        if length == 0, !isCounted { return }
        let content = rest.dropFirst(2).prefix(length)
        guard content.count == length, let nameLength = content.first, content.count > Int(nameLength) else {
            throw HSMError(.deviceFailure, "The TPM's kept value does not have the form it was given.")
        }
        guard content.dropFirst().prefix(Int(nameLength)).elementsEqual(name.utf8) else {
            throw HSMError(.mechanismUnsupported, "This TPM keeps one value, and it goes by another name.")
        }
        value = Array(content.dropFirst(1 + Int(nameLength)))
    }

    /// - Throws: `.invalidArgument` for what has no room.
    func encoded(name: String) throws(HSMError) -> [UInt8] {
        let (name, value) = (Array(name.utf8), value ?? [])
        guard name.count <= Self.longestName, value.count <= KeptValue.longest else {
            throw HSMError(.invalidArgument, "A value to keep has at most \(KeptValue.longest) bytes.")
        }
        let content = [UInt8(truncatingIfNeeded: name.count)] + name + value
        return [Self.version] + withUnsafeBytes(of: (counter ?? 0).bigEndian, Array.init)
            + withUnsafeBytes(of: UInt16(content.count).bigEndian, Array.init) + content
    }
}

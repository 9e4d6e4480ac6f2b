public import SecretMemory

extension AWSCredentials {
    /// Reads the `default` profile of a credentials file: sections `[name]`, lines `key = value`, comments with `#`.
    ///
    /// - Returns: Nil if the profile has no access key id or no secret key, or if the text is not of that form.
    public init?(reading content: borrowing SecretBytes) throws {
        var values: [String: Range<Int>] = [:]  // exact: names that are looked up, in ASCII.
        var isDefault = false
        let known = ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"]
        let isWellFormed = content.withUnsafeBytes { text in
            var start = 0
            while start < text.count {
                let end = text[start...].firstIndex(of: UInt8(ascii: "\n")) ?? text.count
                let line = Self.trimmed(text, start..<end)
                start = end + 1
                guard let first = line.first.map({ text[$0] }), first != UInt8(ascii: "#"), first != UInt8(ascii: ";")
                else { continue }
                if first == UInt8(ascii: "[") {
                    isDefault = text[line].elementsEqual("[default]".utf8)
                    continue
                }
                guard let equals = text[line].firstIndex(of: UInt8(ascii: "=")) else { return false }
                guard isDefault else { continue }
                let name = Self.trimmed(text, line.lowerBound..<equals)
                guard let key = known.first(where: { text[name].elementsEqual($0.utf8) }) else { continue }
                guard values.updateValue(Self.trimmed(text, (equals + 1)..<line.upperBound), forKey: key) == nil else {
                    return false
                }
            }
            return true
        }
        guard isWellFormed, let access = values[known[0]], let secret = values[known[1]], !access.isEmpty,
            !secret.isEmpty
        else { return nil }
        func plain(_ range: Range<Int>) -> String? {
            content.withUnsafeBytes { text in
                text[range].allSatisfy { $0 > 0x20 && $0 < 0x7F } ? String(decoding: text[range], as: UTF8.self) : nil
            }
        }
        guard let accessKey = plain(access) else { return nil }
        let token = values[known[2]]
        let sessionToken = token.flatMap { plain($0) }
        guard token == nil || sessionToken?.isEmpty == false else { return nil }
        let secretKey = try content.withUnsafeBytes { text in
            try SecretBytes(copying: UnsafeRawBufferPointer(rebasing: text[secret]))
        }
        self.init(accessKey: accessKey, secretKey: SharedSecret(secretKey), sessionToken: sessionToken)
    }

    private static func trimmed(_ text: UnsafeRawBufferPointer, _ range: Range<Int>) -> Range<Int> {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
        var (lower, upper) = (range.lowerBound, range.upperBound)
        while lower < upper, isBlank(text[lower]) { lower += 1 }
        while lower < upper, isBlank(text[upper - 1]) { upper -= 1 }
        return lower..<upper
    }
}

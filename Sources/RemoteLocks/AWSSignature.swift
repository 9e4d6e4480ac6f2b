import Encodings
import LibCrypto
import SecretMemory

/// Signature Version 4 of a request without query.
///
/// - Source: AWS, "Signature Version 4 signing process", and its published test suite.
struct AWSSignature {
    let credentials: AWSCredentials
    let region: String
    let service: String
    /// Seconds since 1970.
    let time: Int64

    /// `YYYYMMDDTHHMMSSZ`.
    var timestamp: String {
        let (days, seconds) = (time / 86400, time % 86400)
        return Self.date(days) + "T" + Self.digits(seconds / 3600) + Self.digits(seconds % 3600 / 60)
            + Self.digits(seconds % 60) + "Z"
    }

    /// The headers to add: date, session token if any, and the signature over everything given.
    ///
    /// - Parameters:
    ///   - headers: All that is signed, `host` among them; names in any case.
    ///   - path: Absolute, already escaped.
    func headers(
        method: String, path: String, headers: [(name: String, value: String)], body: [UInt8]
    ) throws(LibCryptoError) -> [(name: String, value: String)] {
        var added = [(name: "X-Amz-Date", value: timestamp)]
        if let token = credentials.sessionToken { added.append((name: "X-Amz-Security-Token", value: token)) }
        let signed = (headers + added).map { (name: $0.name.asciiLowercased(), value: Self.folded($0.value)) }
            .sorted { $0.name < $1.name }
        let names = signed.map(\.name).joined(separator: ";")
        let canonical =
            ([method, path, ""] + signed.map { "\($0.name):\($0.value)" }
            + ["", names, Hexadecimal.encode(try Digest.sha256(body))]).joined(separator: "\n")
        let day = String(timestamp.prefix(8))
        let scope = "\(day)/\(region)/\(service)/aws4_request"
        let text = ["AWS4-HMAC-SHA256", timestamp, scope, Hexadecimal.encode(try Digest.sha256(Array(canonical.utf8)))]
            .joined(separator: "\n")
        let key = try signingKey(day)
        let signature = try key.withSecret { key throws(LibCryptoError) in try HMAC.sha256(key: key, Array(text.utf8)) }
        added.append(
            (
                name: "Authorization",
                value: "AWS4-HMAC-SHA256 Credential=\(credentials.accessKey)/\(scope), SignedHeaders=\(names), "
                    + "Signature=\(Hexadecimal.encode(signature))"
            ))
        return added
    }

    private func signingKey(_ day: String) throws(LibCryptoError) -> SharedSecret {
        var key = try prefixedSecret()
        for text in [day, region, service, "aws4_request"] {
            key = SharedSecret(
                try key.withSecret { key throws(LibCryptoError) in
                    try HMAC.sha256Secret(key: key, Array(text.utf8))
                })
        }
        return key
    }

    /// `AWS4` and the secret key.
    private func prefixedSecret() throws(LibCryptoError) -> SharedSecret {
        do {
            return SharedSecret(
                try credentials.secretKey.withUnsafeBytes { secret in
                    try SecretBytes.make(count: 4 + secret.count) { output in
                        output.copyBytes(from: Array("AWS4".utf8))
                        UnsafeMutableRawBufferPointer(rebasing: output[4...]).copyMemory(from: secret)
                    }
                })
        } catch {
            throw LibCryptoError(.internalFailure, "\(error)")
        }
    }

    /// Without blanks at its ends, and one for each run of them.
    private static func folded(_ value: String) -> String {
        value.split(whereSeparator: { $0 == " " || $0 == "\t" }).joined(separator: " ")
    }

    private static func digits(_ number: Int64) -> String { (number < 10 ? "0" : "") + String(number) }

    /// Days since 1970 as `YYYYMMDD` (proleptic Gregorian; years are counted from March).
    private static func date(_ days: Int64) -> String {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return String(year) + digits(month) + digits(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}

public import EnclaveLock
import Encodings

/// Names a key of AWS KMS: `aws-kms://arn:aws:kms:REGION:ACCOUNT:key/ID`.
public struct AWSKeyURI: Sendable, Hashable {
    public let arn: String
    public let region: String
    /// `amazonaws.com`, or the domain of another partition.
    public let domain: String

    /// - Throws: `.configurationRefused` for another form.
    public init(parsing text: String) throws(EnclaveLockError) {
        func refused(_ reason: String) -> EnclaveLockError { EnclaveLockError(.configurationRefused, reason) }
        let scheme = "aws-kms://"
        guard text.startsExactly(with: scheme) else {
            throw refused("expected aws-kms://arn:aws:kms:REGION:ACCOUNT:key/ID")
        }
        let arn = String(text.dropFirst(scheme.count))
        let parts = arn.splitExactly(at: ":")
        let isPlain = arn.utf8.allSatisfy {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || "-_:/".utf8.contains($0)
        }
        guard isPlain, arn.utf8.count <= 2048, parts.count == 6, parts[0] == "arn", parts[2] == "kms",
            parts[4].count == 12, parts[4].allSatisfy(\.isNumber)
        else { throw refused("the ARN is not arn:PARTITION:kms:REGION:ACCOUNT:key/ID") }
        let resource = parts[5].splitExactly(at: "/")
        guard resource.count == 2, resource[0] == "key", !resource[1].isEmpty else {
            throw refused("the ARN names no key/ID; aliases may be pointed elsewhere and are refused")
        }
        guard !parts[3].isEmpty, parts[3].allSatisfy({ $0.isLowercase || $0.isNumber || $0 == "-" }) else {
            throw refused("the ARN's region is missing")
        }
        switch parts[1] {
        case "aws", "aws-us-gov": domain = "amazonaws.com"
        case "aws-cn": domain = "amazonaws.com.cn"
        default: throw refused("the ARN's partition is none of aws, aws-us-gov, aws-cn")
        }
        self.arn = arn
        region = String(parts[3])
    }
}

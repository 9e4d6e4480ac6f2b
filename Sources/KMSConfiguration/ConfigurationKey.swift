import Encodings
import SecretMemory

/// One setting: its names, its type, and what this daemon does with it.
package struct ConfigurationKey: Sendable {
    enum Kind: Sendable {
        case text
        case path
        /// A file: its absolute path or `credential:NAME`.
        case file
        case boolean
        case number(ClosedRange<Int>)
        case byteCount(ClosedRange<Int>)
        case duration
        case choice([String])
    }

    /// What giving a value means.
    enum Effect: Sendable {
        case honoured
        /// Accepted and without effect, because leaving it out changes nothing that anybody could rely on.
        case ineffective(reason: String)
        /// Only these values are accepted; any other one asks for something that is not there.
        case refused(unless: [String], reason: String)
    }

    /// Flag without dashes, and key of the configuration file.
    package var name: String
    /// Environment variable.
    package var environment: String
    var kind: Kind
    /// As the manual prints it; nil if there is none.
    package var standard: String?
    package var summary: String
    var effect: Effect = .honoured
    /// False for the settings that say where the file is.
    var isAllowedInFile = true

    /// What a value of this kind looks like, for messages.
    package var expectation: String {
        switch kind {
        case .text: "a text"
        case .path: "an absolute path"
        case .file: "an absolute path or credential:NAME"
        case .boolean: "true or false"
        case .number(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .byteCount(let range):
            "a size in bytes from \(range.lowerBound) to \(range.upperBound), such as 512KiB or 1MiB"
        case .duration: "a duration such as 0s, 10m or 1h30m"
        case .choice(let values): "one of " + values.joined(separator: ", ")
        }
    }

    /// A truth value in any of the spellings of Go's `strconv.ParseBool`, which TrustBloc's deployments use.
    package static func truth(_ text: String) -> Bool? {
        switch text {
        case "true", "TRUE", "True", "t", "T", "1": true
        case "false", "FALSE", "False", "f", "F", "0": false
        default: nil
        }
    }

    /// `text` in the one spelling of its value; nil if it is not of this kind. Case does not count in choices.
    package func normalized(_ text: String) -> String? {
        let isOfKind: Bool
        switch kind {
        case .text: return text
        case .boolean: return Self.truth(text).map { $0 ? "true" : "false" }
        case .choice(let values): return values.first { $0.asciiLowercased().isExactly(text.asciiLowercased()) }
        case .path: isOfKind = text.startsExactly(with: "/") && !text.utf8.contains(0)
        case .file: isOfKind = NamedFile.isName(text)
        case .number(let range): isOfKind = Int(text).map { range.contains($0) } ?? false
        case .byteCount(let range): isOfKind = ByteCountText.parse(text).map { range.contains($0) } ?? false
        case .duration: isOfKind = DurationText.parse(text) != nil
        }
        return isOfKind ? text : nil
    }
}

/// Why a text is not accepted as JSON. Repeats none of the text but names that the reader asked for.
public enum StrictJSONError: Error, Sendable, Equatable, CustomStringConvertible {
    case malformed(at: Int)
    case notAnObject
    case tooDeep(limit: Int)
    case tooManyValues(limit: Int)
    /// The name, if it is one that was asked for.
    case memberTwice(String?)
    /// A name that was asked for, in another case.
    case memberInOtherCase(String)

    /// - Parameter subject: What the text is to whoever reads the message.
    public func message(about subject: String) -> String {
        switch self {
        case .malformed(let position): "\(subject) is not valid JSON at byte \(position)"
        case .notAnObject: "\(subject) is not a JSON object"
        case .tooDeep(let limit): "\(subject) is nested deeper than \(limit) levels"
        case .tooManyValues(let limit): "\(subject) has more than \(limit) values"
        case .memberTwice(let name): "\(name.map { "'\($0)'" } ?? "a member") is given twice"
        case .memberInOtherCase(let name): "'\(name)' must be written so, in lower case"
        }
    }

    public var description: String { message(about: "the text") }
}
